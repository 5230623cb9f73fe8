BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE result_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT result_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "result_alembic_version" VALUES('0002');
CREATE TABLE result_arrays (
	id INTEGER NOT NULL, 
	study_id VARCHAR(16) NOT NULL, 
	token VARCHAR(32) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	lease_expires_at DOUBLE NOT NULL, 
	epoch INTEGER NOT NULL, 
	lost_leases INTEGER NOT NULL, 
	error TEXT, 
	checkpoint VARCHAR(200), 
	store VARCHAR(200), 
	finished BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(study_id) REFERENCES result_studies (id)
);
INSERT INTO "result_arrays" VALUES(1,'s-wch3xhc9','05642537a5c2601badf8f79d11be144b','w-80653fc0',0.0,2,0,NULL,NULL,NULL,1);
INSERT INTO "result_arrays" VALUES(2,'s-4zzkx7rg','c4fd6f579166229e4be41d9514ec6e51','w-80653fc0',0.0,2,0,NULL,NULL,NULL,1);
CREATE TABLE result_calibrations (
	kind VARCHAR(300) NOT NULL, 
	block_width INTEGER NOT NULL, 
	PRIMARY KEY (kind)
);
INSERT INTO "result_calibrations" VALUES('digits-logistic, real data, adam [''outside'', ''none'', ''none''], 1437 examples, batch 128, blocks up to 2, cpu, torch 2.13.0+cpu, numba 0.68.1',2);
INSERT INTO "result_calibrations" VALUES('digits-logistic, real data, adamax [''none'', ''none'', ''none''], 1437 examples, batch 128, blocks up to 2, cpu, torch 2.13.0+cpu, numba 0.68.1',2);
CREATE TABLE result_diagnostics (
	study_id VARCHAR(16) NOT NULL, 
	trial INTEGER NOT NULL, 
	replicate INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	max_step DOUBLE, 
	signal_to_noise DOUBLE, 
	epsilon_share DOUBLE, 
	update_norm DOUBLE, 
	weight_norm DOUBLE, 
	gradient_norm DOUBLE, 
	PRIMARY KEY (study_id, trial, replicate, epoch), 
	FOREIGN KEY(study_id, trial) REFERENCES result_trials (study_id, number)
)
 WITHOUT ROWID

;
CREATE TABLE result_epochs (
	study_id VARCHAR(16) NOT NULL, 
	trial INTEGER NOT NULL, 
	replicate INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	steps INTEGER NOT NULL, 
	train_loss DOUBLE, 
	validation_loss DOUBLE, 
	validation_error DOUBLE, 
	test_loss DOUBLE, 
	test_error DOUBLE, 
	seconds DOUBLE NOT NULL, 
	diverged BOOLEAN NOT NULL, 
	PRIMARY KEY (study_id, trial, replicate, epoch), 
	FOREIGN KEY(study_id, trial) REFERENCES result_trials (study_id, number)
)
 WITHOUT ROWID

;
INSERT INTO "result_epochs" VALUES('s-4zzkx7rg',0,0,0,0,2.52964359994284349042e+00,NULL,NULL,2.52286871208084972906e+00,9.02777777777777790113e-01,0.0,0);
INSERT INTO "result_epochs" VALUES('s-4zzkx7rg',0,0,1,12,2.44235784924376320148e+00,NULL,NULL,2.43721900681654624065e+00,8.83333333333333303727e-01,2.75980849983170628547e-03,0);
INSERT INTO "result_epochs" VALUES('s-4zzkx7rg',0,0,2,24,2.41092163046887675292e+00,NULL,NULL,2.4061849541134305852e+00,8.7222222222222223209e-01,1.46999499702360481023e-03,0);
INSERT INTO "result_epochs" VALUES('s-4zzkx7rg',1,0,0,0,2.52964359994284349042e+00,NULL,NULL,2.52286871208084972906e+00,9.02777777777777790113e-01,0.0,0);
INSERT INTO "result_epochs" VALUES('s-4zzkx7rg',1,0,1,12,2.42878779613856377039e+00,NULL,NULL,2.42389318247636165182e+00,8.77777777777777767909e-01,2.75980849983170628547e-03,0);
INSERT INTO "result_epochs" VALUES('s-4zzkx7rg',1,0,2,24,2.38680917614258047976e+00,NULL,NULL,2.38249758846229964248e+00,8.66666666666666696272e-01,1.46999499702360481023e-03,0);
INSERT INTO "result_epochs" VALUES('s-wch3xhc9',0,0,0,0,2.52964359994284349042e+00,NULL,NULL,2.52286871208084972906e+00,9.02777777777777790113e-01,0.0,0);
INSERT INTO "result_epochs" VALUES('s-wch3xhc9',0,0,1,12,2.47356312808381240131e+00,NULL,NULL,2.46792028480105951615e+00,8.97222222222222254295e-01,3.18987600257969461381e-03,0);
INSERT INTO "result_epochs" VALUES('s-wch3xhc9',0,0,2,24,2.44767977215932042156e+00,NULL,NULL,2.44247246417734364953e+00,8.88888888888888839545e-01,2.03280999994603917002e-03,0);
INSERT INTO "result_epochs" VALUES('s-wch3xhc9',1,0,0,0,2.52964359994284349042e+00,NULL,NULL,2.52286871208084972906e+00,9.02777777777777790113e-01,0.0,0);
INSERT INTO "result_epochs" VALUES('s-wch3xhc9',1,0,1,12,7.86010269322398147373e-01,NULL,NULL,8.02397642305327840617e-01,1.38888888888888895056e-01,3.18987600257969461381e-03,0);
INSERT INTO "result_epochs" VALUES('s-wch3xhc9',1,0,2,24,5.15389605961907859565e-01,NULL,NULL,5.25388720980845436159e-01,1.0277777777777777346e-01,2.03280999994603917002e-03,0);
CREATE TABLE result_studies (
	id VARCHAR(16) NOT NULL, 
	suite_id VARCHAR(16), 
	name VARCHAR(100) NOT NULL, 
	spec JSON NOT NULL, 
	wish VARCHAR(8) NOT NULL, 
	n_trials INTEGER NOT NULL, 
	n_mirrored INTEGER NOT NULL, 
	block_width INTEGER, 
	problem TEXT, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(suite_id) REFERENCES result_suites (id)
);
INSERT INTO "result_studies" VALUES('s-wch3xhc9','u-efs4fkps','adam''s','{"name": "adam''s", "workload": "digits-logistic", "optimizer": "adam", "options": {"epsilon_mode": "outside", "weight_decay_mode": "none", "averaging": "none"}, "search_space": {"alpha": [0.001, 0.1], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08}, "sampler": "grid", "pruner": "none", "n_trials": 2, "n_seeds": 1, "epochs": 2, "batch_size": 128, "schedule": {"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}, "data": "real", "objective": "train_loss", "target": null, "seed": 7, "device": "any", "diagnostics": false, "enqueue": []}','run',2,2,2,NULL,'2026-11-24 04:15:02');
INSERT INTO "result_studies" VALUES('s-4zzkx7rg','u-efs4fkps','adamax','{"name": "adamax", "workload": "digits-logistic", "optimizer": "adamax", "options": {"epsilon_mode": "none", "weight_decay_mode": "none", "averaging": "none"}, "search_space": {"alpha": {"low": 1e-05, "high": 0.1, "scale": "log"}, "beta1": {"low": 0.0, "high": 0.999, "scale": "log1m"}, "beta2": {"low": 0.9, "high": 0.9999, "scale": "log1m"}}, "sampler": "qmc", "pruner": "none", "n_trials": 2, "n_seeds": 1, "epochs": 2, "batch_size": 128, "schedule": {"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}, "data": "real", "objective": "train_loss", "target": null, "seed": 7, "device": "any", "diagnostics": false, "enqueue": []}','run',2,2,2,NULL,'2026-11-24 04:15:02');
INSERT INTO "result_studies" VALUES('s-xxs46kh7',NULL,'waiting','{"name": "waiting", "workload": "digits-logistic", "optimizer": "adam", "options": {"epsilon_mode": "outside", "weight_decay_mode": "none", "averaging": "none"}, "search_space": {"alpha": {"low": 1e-05, "high": 0.1, "scale": "log"}, "beta1": {"low": 0.0, "high": 0.999, "scale": "log1m"}, "beta2": {"low": 0.9, "high": 0.9999, "scale": "log1m"}, "epsilon": {"low": 1e-10, "high": 1.0, "scale": "log"}}, "sampler": "qmc", "pruner": "none", "n_trials": 2, "n_seeds": 1, "epochs": 2, "batch_size": 128, "schedule": {"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}, "data": "real", "objective": "validation_loss", "target": null, "seed": 0, "device": "any", "diagnostics": false, "enqueue": []}','run',2,0,NULL,NULL,'2026-11-24 04:22:13');
CREATE TABLE result_suites (
	id VARCHAR(16) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "result_suites" VALUES('u-efs4fkps','stored','2026-11-24 04:15:02');
CREATE TABLE result_trials (
	study_id VARCHAR(16) NOT NULL, 
	number INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	params JSON, 
	alpha DOUBLE, 
	beta1 DOUBLE, 
	beta2 DOUBLE, 
	epsilon DOUBLE, 
	other JSON, 
	sampler_attrs JSON, 
	array_id INTEGER, 
	diverged BOOLEAN, 
	objective DOUBLE, 
	objective_std DOUBLE, 
	epochs_done INTEGER, 
	train_loss DOUBLE, 
	validation_loss DOUBLE, 
	validation_error DOUBLE, 
	test_loss DOUBLE, 
	test_error DOUBLE, 
	seconds DOUBLE, 
	device VARCHAR(100), 
	error TEXT, 
	replaced_by INTEGER, 
	started_at DATETIME, 
	finished_at DATETIME, bias_correction BOOLEAN, 
	PRIMARY KEY (study_id, number), 
	FOREIGN KEY(study_id) REFERENCES result_studies (id), 
	FOREIGN KEY(array_id) REFERENCES result_arrays (id)
);
INSERT INTO "result_trials" VALUES('s-wch3xhc9',0,'complete',1,'{"alpha": 0.001}',0.001,0.9,0.999,1.0e-08,NULL,NULL,1,0,2.44767977215932042156e+00,NULL,2,2.44767977215932042156e+00,NULL,NULL,2.44247246417734364953e+00,8.88888888888888839545e-01,5.22268600252573378384e-03,'cpu',NULL,NULL,'2026-11-24 04:15:06','2026-11-24 04:15:06',NULL);
INSERT INTO "result_trials" VALUES('s-wch3xhc9',1,'complete',0,'{"alpha": 0.1}',0.1,0.9,0.999,1.0e-08,NULL,NULL,1,0,5.15389605961907859565e-01,NULL,2,5.15389605961907859565e-01,NULL,NULL,5.25388720980845436159e-01,1.0277777777777777346e-01,5.22268600252573378384e-03,'cpu',NULL,NULL,'2026-11-24 04:15:06','2026-11-24 04:15:06',NULL);
INSERT INTO "result_trials" VALUES('s-4zzkx7rg',0,'complete',1,'{"alpha": 0.002, "one_minus_beta1": 0.1, "one_minus_beta2": 0.001}',0.002,0.9,0.999,NULL,NULL,NULL,2,0,2.41092163046887675292e+00,NULL,2,2.41092163046887675292e+00,NULL,NULL,2.4061849541134305852e+00,8.7222222222222223209e-01,4.22980349685531109571e-03,'cpu',NULL,NULL,'2026-11-24 04:15:08','2026-11-24 04:15:08',NULL);
INSERT INTO "result_trials" VALUES('s-4zzkx7rg',1,'complete',0,'{"alpha": 0.0020751044553847958, "one_minus_beta1": 0.1662853700197239, "one_minus_beta2": 0.0882336349898355}',2.07510445538479576868e-03,8.337146299802761229e-01,9.11766365010164503424e-01,NULL,NULL,NULL,2,0,2.38680917614258047976e+00,NULL,2,2.38680917614258047976e+00,NULL,NULL,2.38249758846229964248e+00,8.66666666666666696272e-01,4.22980349685531109571e-03,'cpu',NULL,NULL,'2026-11-24 04:15:08','2026-11-24 04:15:08',NULL);
INSERT INTO "result_trials" VALUES('s-xxs46kh7',0,'waiting',1,'{"alpha": 0.001, "one_minus_beta1": 0.1, "one_minus_beta2": 0.001, "epsilon": 1e-08}',0.001,0.9,0.999,1.0e-08,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "result_trials" VALUES('s-xxs46kh7',1,'waiting',0,'{"alpha": 0.025254679927618835, "one_minus_beta1": 0.6224407465682987, "one_minus_beta2": 0.0012250470557846, "epsilon": 4.420807480431253e-07}',2.52546799276188345395e-02,3.7755925343170132491e-01,9.98774952944215366201e-01,4.42080748043125318271e-07,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE result_workers (
	id VARCHAR(64) NOT NULL, 
	host VARCHAR(200) NOT NULL, 
	pid INTEGER NOT NULL, 
	device VARCHAR(100) NOT NULL, 
	is_gpu BOOLEAN NOT NULL, 
	store VARCHAR(200) NOT NULL, 
	study_id VARCHAR(16), 
	heartbeat_at DOUBLE NOT NULL, 
	started_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'adam''s-s-wch3xhc9');
INSERT INTO "studies" VALUES(2,'adamax-s-4zzkx7rg');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MINIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MINIMIZE',2,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'name','"adam''s"');
INSERT INTO "study_user_attributes" VALUES(2,1,'workload','"digits-logistic"');
INSERT INTO "study_user_attributes" VALUES(3,1,'optimizer','"adam"');
INSERT INTO "study_user_attributes" VALUES(4,1,'options','{"epsilon_mode": "outside", "weight_decay_mode": "none", "averaging": "none"}');
INSERT INTO "study_user_attributes" VALUES(5,1,'search_space','{"alpha": [0.001, 0.1], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08}');
INSERT INTO "study_user_attributes" VALUES(6,1,'sampler','"grid"');
INSERT INTO "study_user_attributes" VALUES(7,1,'pruner','"none"');
INSERT INTO "study_user_attributes" VALUES(8,1,'n_trials','2');
INSERT INTO "study_user_attributes" VALUES(9,1,'n_seeds','1');
INSERT INTO "study_user_attributes" VALUES(10,1,'epochs','2');
INSERT INTO "study_user_attributes" VALUES(11,1,'batch_size','128');
INSERT INTO "study_user_attributes" VALUES(12,1,'schedule','{"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}');
INSERT INTO "study_user_attributes" VALUES(13,1,'data','"real"');
INSERT INTO "study_user_attributes" VALUES(14,1,'objective','"train_loss"');
INSERT INTO "study_user_attributes" VALUES(15,1,'target','null');
INSERT INTO "study_user_attributes" VALUES(16,1,'seed','7');
INSERT INTO "study_user_attributes" VALUES(17,1,'device','"any"');
INSERT INTO "study_user_attributes" VALUES(18,1,'diagnostics','false');
INSERT INTO "study_user_attributes" VALUES(19,1,'enqueue','[]');
INSERT INTO "study_user_attributes" VALUES(20,1,'id','"s-wch3xhc9"');
INSERT INTO "study_user_attributes" VALUES(21,2,'name','"adamax"');
INSERT INTO "study_user_attributes" VALUES(22,2,'workload','"digits-logistic"');
INSERT INTO "study_user_attributes" VALUES(23,2,'optimizer','"adamax"');
INSERT INTO "study_user_attributes" VALUES(24,2,'options','{"epsilon_mode": "none", "weight_decay_mode": "none", "averaging": "none"}');
INSERT INTO "study_user_attributes" VALUES(25,2,'search_space','{"alpha": {"low": 1e-05, "high": 0.1, "scale": "log"}, "beta1": {"low": 0.0, "high": 0.999, "scale": "log1m"}, "beta2": {"low": 0.9, "high": 0.9999, "scale": "log1m"}}');
INSERT INTO "study_user_attributes" VALUES(26,2,'sampler','"qmc"');
INSERT INTO "study_user_attributes" VALUES(27,2,'pruner','"none"');
INSERT INTO "study_user_attributes" VALUES(28,2,'n_trials','2');
INSERT INTO "study_user_attributes" VALUES(29,2,'n_seeds','1');
INSERT INTO "study_user_attributes" VALUES(30,2,'epochs','2');
INSERT INTO "study_user_attributes" VALUES(31,2,'batch_size','128');
INSERT INTO "study_user_attributes" VALUES(32,2,'schedule','{"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}');
INSERT INTO "study_user_attributes" VALUES(33,2,'data','"real"');
INSERT INTO "study_user_attributes" VALUES(34,2,'objective','"train_loss"');
INSERT INTO "study_user_attributes" VALUES(35,2,'target','null');
INSERT INTO "study_user_attributes" VALUES(36,2,'seed','7');
INSERT INTO "study_user_attributes" VALUES(37,2,'device','"any"');
INSERT INTO "study_user_attributes" VALUES(38,2,'diagnostics','false');
INSERT INTO "study_user_attributes" VALUES(39,2,'enqueue','[]');
INSERT INTO "study_user_attributes" VALUES(40,2,'id','"s-4zzkx7rg"');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,1,2.47356312808381240131e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,2,2.44767977215932042156e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,2,1,7.86010269322398147373e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,2,5.15389605961907859565e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,3,1,2.44235784924376320148e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,3,2,2.41092163046887675292e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,4,1,2.42878779613856377039e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,4,2,2.38680917614258047976e+00,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'alpha',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [0.001, 0.1]}}');
INSERT INTO "trial_params" VALUES(2,2,'alpha',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [0.001, 0.1]}}');
INSERT INTO "trial_params" VALUES(3,3,'alpha',0.002,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(4,3,'one_minus_beta1',0.1,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(5,3,'one_minus_beta2',0.001,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(6,4,'alpha',2.07510445538479576868e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(7,4,'one_minus_beta1',1.66285370019723904855e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(8,4,'one_minus_beta2',0.0882336349898355,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'state','"complete"');
INSERT INTO "trial_user_attributes" VALUES(2,1,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(3,1,'is_default','true');
INSERT INTO "trial_user_attributes" VALUES(4,1,'test_error','0.8888888888888888');
INSERT INTO "trial_user_attributes" VALUES(5,2,'state','"complete"');
INSERT INTO "trial_user_attributes" VALUES(6,2,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(7,2,'is_default','false');
INSERT INTO "trial_user_attributes" VALUES(8,2,'test_error','0.10277777777777777');
INSERT INTO "trial_user_attributes" VALUES(9,3,'state','"complete"');
INSERT INTO "trial_user_attributes" VALUES(10,3,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(11,3,'is_default','true');
INSERT INTO "trial_user_attributes" VALUES(12,3,'test_error','0.8722222222222222');
INSERT INTO "trial_user_attributes" VALUES(13,4,'state','"complete"');
INSERT INTO "trial_user_attributes" VALUES(14,4,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(15,4,'is_default','false');
INSERT INTO "trial_user_attributes" VALUES(16,4,'test_error','0.8666666666666667');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,2.44767977215932042156e+00,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,5.15389605961907859565e-01,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,2.41092163046887675292e+00,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,2.38680917614258047976e+00,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-24 04:15:06.000000','2026-11-24 04:15:06.000000');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-24 04:15:06.000000','2026-11-24 04:15:06.000000');
INSERT INTO "trials" VALUES(3,0,2,'COMPLETE','2026-11-24 04:15:08.000000','2026-11-24 04:15:08.000000');
INSERT INTO "trials" VALUES(4,1,2,'COMPLETE','2026-11-24 04:15:08.000000','2026-11-24 04:15:08.000000');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
CREATE INDEX ix_result_studies_suite_id ON result_studies (suite_id);
CREATE INDEX ix_result_arrays_study_id ON result_arrays (study_id);
CREATE INDEX ix_result_trials_array_id ON result_trials (array_id);
CREATE INDEX ix_result_trials_state ON result_trials (study_id, state);
CREATE VIEW curves AS
SELECT s.id AS study_id, s.name AS study, e.trial AS trial, e.replicate AS replicate, e.epoch AS epoch,
    e.steps AS steps, e.train_loss AS train_loss, e.validation_loss AS validation_loss,
    e.validation_error AS validation_error, e.test_loss AS test_loss, e.test_error AS test_error,
    e.seconds AS seconds, e.diverged AS diverged
FROM result_epochs e
JOIN result_trials t ON t.study_id = e.study_id AND t.number = e.trial
JOIN result_studies s ON s.id = e.study_id
WHERE t.replaced_by IS NULL;
CREATE VIEW results AS
SELECT s.id AS study_id, s.name AS study, u.name AS suite, json_extract(s.spec, '$.workload') AS workload, json_extract(s.spec, '$.optimizer') AS optimizer,
    t.number AS trial, t.state AS state, t.diverged AS diverged, t.is_default AS is_default,
    t.alpha AS alpha, t.beta1 AS beta1, t.beta2 AS beta2, t.epsilon AS epsilon,
    CASE WHEN t.bias_correction IS NOT NULL THEN t.bias_correction WHEN json_extract(s.spec, '$.optimizer') IN ('adam', 'amsgrad') THEN TRUE END
        AS bias_correction, t.other AS other,
    json_extract(s.spec, '$.objective') AS objective_name, t.objective AS objective, t.objective_std AS objective_std,
    CAST(json_extract(s.spec, '$.n_seeds') AS INTEGER) AS n_seeds,
    CASE WHEN t.state <> 'running' THEN COALESCE(t.epochs_done, 0) WHEN a.epoch > 0 THEN a.epoch ELSE 0 END
        AS epochs_done,
    t.train_loss AS train_loss, t.validation_loss AS validation_loss, t.validation_error AS validation_error,
    t.test_loss AS test_loss, t.test_error AS test_error, t.seconds AS seconds, t.device AS device,
    t.started_at AS started_at, t.finished_at AS finished_at, t.error AS error
FROM result_trials t
JOIN result_studies s ON s.id = t.study_id
LEFT JOIN result_suites u ON u.id = s.suite_id
LEFT JOIN result_arrays a ON a.id = t.array_id
WHERE t.replaced_by IS NULL;
CREATE VIEW diagnostics AS
SELECT s.id AS study_id, s.name AS study, d.trial AS trial, d.replicate AS replicate, d.epoch AS epoch,
    e.steps AS steps, d.max_step AS max_step, d.signal_to_noise AS signal_to_noise, d.epsilon_share AS epsilon_share, d.update_norm AS update_norm, d.weight_norm AS weight_norm, d.gradient_norm AS gradient_norm
FROM result_diagnostics d
JOIN result_trials t ON t.study_id = d.study_id AND t.number = d.trial
JOIN result_studies s ON s.id = d.study_id
JOIN result_epochs e ON e.study_id = d.study_id AND e.trial = d.trial AND e.replicate = d.replicate
    AND e.epoch = d.epoch
WHERE t.replaced_by IS NULL;
COMMIT;
