SELECT pg_catalog.set_config('search_path', '', false);
CREATE TYPE public.studydirection AS ENUM (
    'NOT_SET',
    'MINIMIZE',
    'MAXIMIZE'
);
CREATE TYPE public.trialintermediatevaluetype AS ENUM (
    'FINITE',
    'INF_POS',
    'INF_NEG',
    'NAN'
);
CREATE TYPE public.trialstate AS ENUM (
    'RUNNING',
    'COMPLETE',
    'PRUNED',
    'FAIL',
    'WAITING'
);
CREATE TYPE public.trialvaluetype AS ENUM (
    'FINITE',
    'INF_POS',
    'INF_NEG'
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.result_epochs (
    study_id character varying(16) NOT NULL,
    trial integer NOT NULL,
    replicate integer NOT NULL,
    epoch integer NOT NULL,
    steps integer NOT NULL,
    train_loss double precision,
    validation_loss double precision,
    validation_error double precision,
    test_loss double precision,
    test_error double precision,
    seconds double precision NOT NULL,
    diverged boolean NOT NULL
);
CREATE TABLE public.result_studies (
    id character varying(16) NOT NULL,
    suite_id character varying(16),
    name character varying(100) NOT NULL,
    spec json NOT NULL,
    wish character varying(8) NOT NULL,
    n_trials integer NOT NULL,
    n_mirrored integer NOT NULL,
    block_width integer,
    problem text,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE public.result_trials (
    study_id character varying(16) NOT NULL,
    number integer NOT NULL,
    state character varying(16) NOT NULL,
    is_default boolean NOT NULL,
    params json,
    alpha double precision,
    beta1 double precision,
    beta2 double precision,
    epsilon double precision,
    other json,
    sampler_attrs json,
    array_id integer,
    diverged boolean,
    objective double precision,
    objective_std double precision,
    epochs_done integer,
    train_loss double precision,
    validation_loss double precision,
    validation_error double precision,
    test_loss double precision,
    test_error double precision,
    seconds double precision,
    device character varying(100),
    error text,
    replaced_by integer,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    bias_correction boolean
);
CREATE VIEW public.curves AS
 SELECT s.id AS study_id,
    s.name AS study,
    e.trial,
    e.replicate,
    e.epoch,
    e.steps,
    e.train_loss,
    e.validation_loss,
    e.validation_error,
    e.test_loss,
    e.test_error,
    e.seconds,
    e.diverged
   FROM ((public.result_epochs e
     JOIN public.result_trials t ON ((((t.study_id)::text = (e.study_id)::text) AND (t.number = e.trial))))
     JOIN public.result_studies s ON (((s.id)::text = (e.study_id)::text)))
  WHERE (t.replaced_by IS NULL);
CREATE TABLE public.result_diagnostics (
    study_id character varying(16) NOT NULL,
    trial integer NOT NULL,
    replicate integer NOT NULL,
    epoch integer NOT NULL,
    max_step double precision,
    signal_to_noise double precision,
    epsilon_share double precision,
    update_norm double precision,
    weight_norm double precision,
    gradient_norm double precision
);
CREATE VIEW public.diagnostics AS
 SELECT s.id AS study_id,
    s.name AS study,
    d.trial,
    d.replicate,
    d.epoch,
    e.steps,
    d.max_step,
    d.signal_to_noise,
    d.epsilon_share,
    d.update_norm,
    d.weight_norm,
    d.gradient_norm
   FROM (((public.result_diagnostics d
     JOIN public.result_trials t ON ((((t.study_id)::text = (d.study_id)::text) AND (t.number = d.trial))))
     JOIN public.result_studies s ON (((s.id)::text = (d.study_id)::text)))
     JOIN public.result_epochs e ON ((((e.study_id)::text = (d.study_id)::text) AND (e.trial = d.trial) AND (e.replicate = d.replicate) AND (e.epoch = d.epoch))))
  WHERE (t.replaced_by IS NULL);
CREATE TABLE public.result_alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.result_arrays (
    id integer NOT NULL,
    study_id character varying(16) NOT NULL,
    token character varying(32) NOT NULL,
    worker_id character varying(64) NOT NULL,
    lease_expires_at double precision NOT NULL,
    epoch integer NOT NULL,
    lost_leases integer NOT NULL,
    error text,
    checkpoint character varying(200),
    store character varying(200),
    finished boolean NOT NULL
);
CREATE SEQUENCE public.result_arrays_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.result_arrays_id_seq OWNED BY public.result_arrays.id;
CREATE TABLE public.result_calibrations (
    kind character varying(300) NOT NULL,
    block_width integer NOT NULL
);
CREATE TABLE public.result_suites (
    id character varying(16) NOT NULL,
    name character varying(100) NOT NULL,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE public.result_workers (
    id character varying(64) NOT NULL,
    host character varying(200) NOT NULL,
    pid integer NOT NULL,
    device character varying(100) NOT NULL,
    is_gpu boolean NOT NULL,
    store character varying(200) NOT NULL,
    study_id character varying(16),
    heartbeat_at double precision NOT NULL,
    started_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE VIEW public.results AS
 SELECT s.id AS study_id,
    s.name AS study,
    u.name AS suite,
    (s.spec ->> 'workload'::text) AS workload,
    (s.spec ->> 'optimizer'::text) AS optimizer,
    t.number AS trial,
    t.state,
    t.diverged,
    t.is_default,
    t.alpha,
    t.beta1,
    t.beta2,
    t.epsilon,
        CASE
            WHEN (t.bias_correction IS NOT NULL) THEN t.bias_correction
            WHEN ((s.spec ->> 'optimizer'::text) = ANY (ARRAY['adam'::text, 'amsgrad'::text])) THEN true
            ELSE NULL::boolean
        END AS bias_correction,
    t.other,
    (s.spec ->> 'objective'::text) AS objective_name,
    t.objective,
    t.objective_std,
    ((s.spec ->> 'n_seeds'::text))::integer AS n_seeds,
        CASE
            WHEN ((t.state)::text <> 'running'::text) THEN COALESCE(t.epochs_done, 0)
            WHEN (a.epoch > 0) THEN a.epoch
            ELSE 0
        END AS epochs_done,
    t.train_loss,
    t.validation_loss,
    t.validation_error,
    t.test_loss,
    t.test_error,
    t.seconds,
    t.device,
    t.started_at,
    t.finished_at,
    t.error
   FROM (((public.result_trials t
     JOIN public.result_studies s ON (((s.id)::text = (t.study_id)::text)))
     LEFT JOIN public.result_suites u ON (((u.id)::text = (s.suite_id)::text)))
     LEFT JOIN public.result_arrays a ON ((a.id = t.array_id)))
  WHERE (t.replaced_by IS NULL);
CREATE TABLE public.studies (
    study_id integer NOT NULL,
    study_name character varying(512) NOT NULL
);
CREATE SEQUENCE public.studies_study_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.studies_study_id_seq OWNED BY public.studies.study_id;
CREATE TABLE public.study_directions (
    study_direction_id integer NOT NULL,
    direction public.studydirection NOT NULL,
    study_id integer NOT NULL,
    objective integer NOT NULL
);
CREATE SEQUENCE public.study_directions_study_direction_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.study_directions_study_direction_id_seq OWNED BY public.study_directions.study_direction_id;
CREATE TABLE public.study_system_attributes (
    study_system_attribute_id integer NOT NULL,
    study_id integer,
    key character varying(512),
    value_json text
);
CREATE SEQUENCE public.study_system_attributes_study_system_attribute_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.study_system_attributes_study_system_attribute_id_seq OWNED BY public.study_system_attributes.study_system_attribute_id;
CREATE TABLE public.study_user_attributes (
    study_user_attribute_id integer NOT NULL,
    study_id integer,
    key character varying(512),
    value_json text
);
CREATE SEQUENCE public.study_user_attributes_study_user_attribute_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.study_user_attributes_study_user_attribute_id_seq OWNED BY public.study_user_attributes.study_user_attribute_id;
CREATE TABLE public.trial_heartbeats (
    trial_heartbeat_id integer NOT NULL,
    trial_id integer NOT NULL,
    heartbeat timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.trial_heartbeats_trial_heartbeat_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.trial_heartbeats_trial_heartbeat_id_seq OWNED BY public.trial_heartbeats.trial_heartbeat_id;
CREATE TABLE public.trial_intermediate_values (
    trial_intermediate_value_id integer NOT NULL,
    trial_id integer NOT NULL,
    step integer NOT NULL,
    intermediate_value double precision,
    intermediate_value_type public.trialintermediatevaluetype NOT NULL
);
CREATE SEQUENCE public.trial_intermediate_values_trial_intermediate_value_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.trial_intermediate_values_trial_intermediate_value_id_seq OWNED BY public.trial_intermediate_values.trial_intermediate_value_id;
CREATE TABLE public.trial_params (
    param_id integer NOT NULL,
    trial_id integer,
    param_name character varying(512),
    param_value double precision,
    distribution_json text
);
CREATE SEQUENCE public.trial_params_param_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.trial_params_param_id_seq OWNED BY public.trial_params.param_id;
CREATE TABLE public.trial_system_attributes (
    trial_system_attribute_id integer NOT NULL,
    trial_id integer,
    key character varying(512),
    value_json text
);
CREATE SEQUENCE public.trial_system_attributes_trial_system_attribute_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.trial_system_attributes_trial_system_attribute_id_seq OWNED BY public.trial_system_attributes.trial_system_attribute_id;
CREATE TABLE public.trial_user_attributes (
    trial_user_attribute_id integer NOT NULL,
    trial_id integer,
    key character varying(512),
    value_json text
);
CREATE SEQUENCE public.trial_user_attributes_trial_user_attribute_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.trial_user_attributes_trial_user_attribute_id_seq OWNED BY public.trial_user_attributes.trial_user_attribute_id;
CREATE TABLE public.trial_values (
    trial_value_id integer NOT NULL,
    trial_id integer NOT NULL,
    objective integer NOT NULL,
    value double precision,
    value_type public.trialvaluetype NOT NULL
);
CREATE SEQUENCE public.trial_values_trial_value_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.trial_values_trial_value_id_seq OWNED BY public.trial_values.trial_value_id;
CREATE TABLE public.trials (
    trial_id integer NOT NULL,
    number integer,
    study_id integer,
    state public.trialstate NOT NULL,
    datetime_start timestamp without time zone,
    datetime_complete timestamp without time zone
);
CREATE SEQUENCE public.trials_trial_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.trials_trial_id_seq OWNED BY public.trials.trial_id;
CREATE TABLE public.version_info (
    version_info_id integer NOT NULL,
    schema_version integer,
    library_version character varying(256),
    CONSTRAINT version_info_version_info_id_check CHECK ((version_info_id = 1))
);
ALTER TABLE ONLY public.result_arrays ALTER COLUMN id SET DEFAULT nextval('public.result_arrays_id_seq'::regclass);
ALTER TABLE ONLY public.studies ALTER COLUMN study_id SET DEFAULT nextval('public.studies_study_id_seq'::regclass);
ALTER TABLE ONLY public.study_directions ALTER COLUMN study_direction_id SET DEFAULT nextval('public.study_directions_study_direction_id_seq'::regclass);
ALTER TABLE ONLY public.study_system_attributes ALTER COLUMN study_system_attribute_id SET DEFAULT nextval('public.study_system_attributes_study_system_attribute_id_seq'::regclass);
ALTER TABLE ONLY public.study_user_attributes ALTER COLUMN study_user_attribute_id SET DEFAULT nextval('public.study_user_attributes_study_user_attribute_id_seq'::regclass);
ALTER TABLE ONLY public.trial_heartbeats ALTER COLUMN trial_heartbeat_id SET DEFAULT nextval('public.trial_heartbeats_trial_heartbeat_id_seq'::regclass);
ALTER TABLE ONLY public.trial_intermediate_values ALTER COLUMN trial_intermediate_value_id SET DEFAULT nextval('public.trial_intermediate_values_trial_intermediate_value_id_seq'::regclass);
ALTER TABLE ONLY public.trial_params ALTER COLUMN param_id SET DEFAULT nextval('public.trial_params_param_id_seq'::regclass);
ALTER TABLE ONLY public.trial_system_attributes ALTER COLUMN trial_system_attribute_id SET DEFAULT nextval('public.trial_system_attributes_trial_system_attribute_id_seq'::regclass);
ALTER TABLE ONLY public.trial_user_attributes ALTER COLUMN trial_user_attribute_id SET DEFAULT nextval('public.trial_user_attributes_trial_user_attribute_id_seq'::regclass);
ALTER TABLE ONLY public.trial_values ALTER COLUMN trial_value_id SET DEFAULT nextval('public.trial_values_trial_value_id_seq'::regclass);
ALTER TABLE ONLY public.trials ALTER COLUMN trial_id SET DEFAULT nextval('public.trials_trial_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('v3.2.0.a');
INSERT INTO public.result_alembic_version VALUES ('0002');
INSERT INTO public.result_arrays VALUES (1, 's-wsgrhayg', '225e2e68351fa38833b228bbaef599de', 'w-daf46a5a', 0, 2, 0, NULL, NULL, NULL, true);
INSERT INTO public.result_arrays VALUES (2, 's-y4avpcdb', 'f2a837a3ad88f813fee8610944951171', 'w-daf46a5a', 0, 2, 0, NULL, NULL, NULL, true);
INSERT INTO public.result_calibrations VALUES ('digits-logistic, real data, adam [''outside'', ''none'', ''none''], 1437 examples, batch 128, blocks up to 2, cpu, torch 2.13.0+cpu, numba 0.68.1', 2);
INSERT INTO public.result_calibrations VALUES ('digits-logistic, real data, adamax [''none'', ''none'', ''none''], 1437 examples, batch 128, blocks up to 2, cpu, torch 2.13.0+cpu, numba 0.68.1', 2);
INSERT INTO public.result_epochs VALUES ('s-wsgrhayg', 0, 0, 0, 0, 2.5296435999428435, NULL, NULL, 2.5228687120808497, 0.9027777777777778, 0, false);
INSERT INTO public.result_epochs VALUES ('s-wsgrhayg', 1, 0, 0, 0, 2.5296435999428435, NULL, NULL, 2.5228687120808497, 0.9027777777777778, 0, false);
INSERT INTO public.result_epochs VALUES ('s-wsgrhayg', 0, 0, 1, 12, 2.4735631280838124, NULL, NULL, 2.4679202848010595, 0.8972222222222223, 0.0018174904980696738, false);
INSERT INTO public.result_epochs VALUES ('s-wsgrhayg', 1, 0, 1, 12, 0.7860102693223981, NULL, NULL, 0.8023976423053278, 0.1388888888888889, 0.0018174904980696738, false);
INSERT INTO public.result_epochs VALUES ('s-wsgrhayg', 0, 0, 2, 24, 2.4476797721593204, NULL, NULL, 2.4424724641773436, 0.8888888888888888, 0.0012296634995436762, false);
INSERT INTO public.result_epochs VALUES ('s-wsgrhayg', 1, 0, 2, 24, 0.5153896059619079, NULL, NULL, 0.5253887209808454, 0.10277777777777777, 0.0012296634995436762, false);
INSERT INTO public.result_epochs VALUES ('s-y4avpcdb', 0, 0, 0, 0, 2.5296435999428435, NULL, NULL, 2.5228687120808497, 0.9027777777777778, 0, false);
INSERT INTO public.result_epochs VALUES ('s-y4avpcdb', 1, 0, 0, 0, 2.5296435999428435, NULL, NULL, 2.5228687120808497, 0.9027777777777778, 0, false);
INSERT INTO public.result_epochs VALUES ('s-y4avpcdb', 0, 0, 1, 12, 2.442357849243763, NULL, NULL, 2.4372190068165462, 0.8833333333333333, 0.005105001499032369, false);
INSERT INTO public.result_epochs VALUES ('s-y4avpcdb', 1, 0, 1, 12, 2.4287877961385638, NULL, NULL, 2.4238931824763617, 0.8777777777777778, 0.005105001499032369, false);
INSERT INTO public.result_epochs VALUES ('s-y4avpcdb', 0, 0, 2, 24, 2.4109216304688768, NULL, NULL, 2.4061849541134306, 0.8722222222222222, 0.0022405330018955283, false);
INSERT INTO public.result_epochs VALUES ('s-y4avpcdb', 1, 0, 2, 24, 2.3868091761425805, NULL, NULL, 2.3824975884622996, 0.8666666666666667, 0.0022405330018955283, false);
INSERT INTO public.result_studies VALUES ('s-wsgrhayg', 'u-8q6wp3vy', 'adam''s', '{"name": "adam''s", "workload": "digits-logistic", "optimizer": "adam", "options": {"epsilon_mode": "outside", "weight_decay_mode": "none", "averaging": "none"}, "search_space": {"alpha": [0.001, 0.1], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08}, "sampler": "grid", "pruner": "none", "n_trials": 2, "n_seeds": 1, "epochs": 2, "batch_size": 128, "schedule": {"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}, "data": "real", "objective": "train_loss", "target": null, "seed": 7, "device": "any", "diagnostics": false, "enqueue": []}', 'run', 2, 2, 2, NULL, '2026-11-24 04:16:45.594214+00');
INSERT INTO public.result_studies VALUES ('s-y4avpcdb', 'u-8q6wp3vy', 'adamax', '{"name": "adamax", "workload": "digits-logistic", "optimizer": "adamax", "options": {"epsilon_mode": "none", "weight_decay_mode": "none", "averaging": "none"}, "search_space": {"alpha": {"low": 1e-05, "high": 0.1, "scale": "log"}, "beta1": {"low": 0.0, "high": 0.999, "scale": "log1m"}, "beta2": {"low": 0.9, "high": 0.9999, "scale": "log1m"}}, "sampler": "qmc", "pruner": "none", "n_trials": 2, "n_seeds": 1, "epochs": 2, "batch_size": 128, "schedule": {"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}, "data": "real", "objective": "train_loss", "target": null, "seed": 7, "device": "any", "diagnostics": false, "enqueue": []}', 'run', 2, 2, 2, NULL, '2026-11-24 04:16:45.594214+00');
INSERT INTO public.result_studies VALUES ('s-bemd9xtt', NULL, 'waiting', '{"name": "waiting", "workload": "digits-logistic", "optimizer": "adam", "options": {"epsilon_mode": "outside", "weight_decay_mode": "none", "averaging": "none"}, "search_space": {"alpha": {"low": 1e-05, "high": 0.1, "scale": "log"}, "beta1": {"low": 0.0, "high": 0.999, "scale": "log1m"}, "beta2": {"low": 0.9, "high": 0.9999, "scale": "log1m"}, "epsilon": {"low": 1e-10, "high": 1.0, "scale": "log"}}, "sampler": "qmc", "pruner": "none", "n_trials": 2, "n_seeds": 1, "epochs": 2, "batch_size": 128, "schedule": {"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}, "data": "real", "objective": "validation_loss", "target": null, "seed": 0, "device": "any", "diagnostics": false, "enqueue": []}', 'run', 2, 0, NULL, NULL, '2026-11-24 04:22:58.306757+00');
INSERT INTO public.result_suites VALUES ('u-8q6wp3vy', 'stored', '2026-11-24 04:16:45.594214+00');
INSERT INTO public.result_trials VALUES ('s-wsgrhayg', 0, 'complete', true, '{"alpha": 0.001}', 0.001, 0.9, 0.999, 1e-08, NULL, NULL, 1, false, 2.4476797721593204, NULL, 2, 2.4476797721593204, NULL, NULL, 2.4424724641773436, 0.8888888888888888, 0.00304715399761335, 'cpu', NULL, NULL, '2026-11-24 04:16:53.052781+00', '2026-11-24 04:16:53.140582+00', NULL);
INSERT INTO public.result_trials VALUES ('s-wsgrhayg', 1, 'complete', false, '{"alpha": 0.1}', 0.1, 0.9, 0.999, 1e-08, NULL, NULL, 1, false, 0.5153896059619079, NULL, 2, 0.5153896059619079, NULL, NULL, 0.5253887209808454, 0.10277777777777777, 0.00304715399761335, 'cpu', NULL, NULL, '2026-11-24 04:16:53.052781+00', '2026-11-24 04:16:53.140582+00', NULL);
INSERT INTO public.result_trials VALUES ('s-y4avpcdb', 0, 'complete', true, '{"alpha": 0.002, "one_minus_beta1": 0.1, "one_minus_beta2": 0.001}', 0.002, 0.9, 0.999, NULL, NULL, NULL, 2, false, 2.4109216304688768, NULL, 2, 2.4109216304688768, NULL, NULL, 2.4061849541134306, 0.8722222222222222, 0.007345534500927897, 'cpu', NULL, NULL, '2026-11-24 04:16:57.541386+00', '2026-11-24 04:16:57.652201+00', NULL);
INSERT INTO public.result_trials VALUES ('s-y4avpcdb', 1, 'complete', false, '{"alpha": 0.0020751044553847958, "one_minus_beta1": 0.1662853700197239, "one_minus_beta2": 0.0882336349898355}', 0.0020751044553847958, 0.8337146299802761, 0.9117663650101645, NULL, NULL, NULL, 2, false, 2.3868091761425805, NULL, 2, 2.3868091761425805, NULL, NULL, 2.3824975884622996, 0.8666666666666667, 0.007345534500927897, 'cpu', NULL, NULL, '2026-11-24 04:16:57.541386+00', '2026-11-24 04:16:57.652201+00', NULL);
INSERT INTO public.result_trials VALUES ('s-bemd9xtt', 0, 'waiting', true, '{"alpha": 0.001, "one_minus_beta1": 0.1, "one_minus_beta2": 0.001, "epsilon": 1e-08}', 0.001, 0.9, 0.999, 1e-08, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.result_trials VALUES ('s-bemd9xtt', 1, 'waiting', false, '{"alpha": 0.025254679927618835, "one_minus_beta1": 0.6224407465682987, "one_minus_beta2": 0.0012250470557846, "epsilon": 4.420807480431253e-07}', 0.025254679927618835, 0.3775592534317013, 0.9987749529442154, 4.420807480431253e-07, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.studies VALUES (1, 'adam''s-s-wsgrhayg');
INSERT INTO public.studies VALUES (2, 'adamax-s-y4avpcdb');
INSERT INTO public.study_directions VALUES (1, 'MINIMIZE', 1, 0);
INSERT INTO public.study_directions VALUES (2, 'MINIMIZE', 2, 0);
INSERT INTO public.study_user_attributes VALUES (1, 1, 'name', '"adam''s"');
INSERT INTO public.study_user_attributes VALUES (2, 1, 'workload', '"digits-logistic"');
INSERT INTO public.study_user_attributes VALUES (3, 1, 'optimizer', '"adam"');
INSERT INTO public.study_user_attributes VALUES (4, 1, 'options', '{"epsilon_mode": "outside", "weight_decay_mode": "none", "averaging": "none"}');
INSERT INTO public.study_user_attributes VALUES (5, 1, 'search_space', '{"alpha": [0.001, 0.1], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08}');
INSERT INTO public.study_user_attributes VALUES (6, 1, 'sampler', '"grid"');
INSERT INTO public.study_user_attributes VALUES (7, 1, 'pruner', '"none"');
INSERT INTO public.study_user_attributes VALUES (8, 1, 'n_trials', '2');
INSERT INTO public.study_user_attributes VALUES (9, 1, 'n_seeds', '1');
INSERT INTO public.study_user_attributes VALUES (10, 1, 'epochs', '2');
INSERT INTO public.study_user_attributes VALUES (11, 1, 'batch_size', '128');
INSERT INTO public.study_user_attributes VALUES (12, 1, 'schedule', '{"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}');
INSERT INTO public.study_user_attributes VALUES (13, 1, 'data', '"real"');
INSERT INTO public.study_user_attributes VALUES (14, 1, 'objective', '"train_loss"');
INSERT INTO public.study_user_attributes VALUES (15, 1, 'target', 'null');
INSERT INTO public.study_user_attributes VALUES (16, 1, 'seed', '7');
INSERT INTO public.study_user_attributes VALUES (17, 1, 'device', '"any"');
INSERT INTO public.study_user_attributes VALUES (18, 1, 'diagnostics', 'false');
INSERT INTO public.study_user_attributes VALUES (19, 1, 'enqueue', '[]');
INSERT INTO public.study_user_attributes VALUES (20, 1, 'id', '"s-wsgrhayg"');
INSERT INTO public.study_user_attributes VALUES (21, 2, 'name', '"adamax"');
INSERT INTO public.study_user_attributes VALUES (22, 2, 'workload', '"digits-logistic"');
INSERT INTO public.study_user_attributes VALUES (23, 2, 'optimizer', '"adamax"');
INSERT INTO public.study_user_attributes VALUES (24, 2, 'options', '{"epsilon_mode": "none", "weight_decay_mode": "none", "averaging": "none"}');
INSERT INTO public.study_user_attributes VALUES (25, 2, 'search_space', '{"alpha": {"low": 1e-05, "high": 0.1, "scale": "log"}, "beta1": {"low": 0.0, "high": 0.999, "scale": "log1m"}, "beta2": {"low": 0.9, "high": 0.9999, "scale": "log1m"}}');
INSERT INTO public.study_user_attributes VALUES (26, 2, 'sampler', '"qmc"');
INSERT INTO public.study_user_attributes VALUES (27, 2, 'pruner', '"none"');
INSERT INTO public.study_user_attributes VALUES (28, 2, 'n_trials', '2');
INSERT INTO public.study_user_attributes VALUES (29, 2, 'n_seeds', '1');
INSERT INTO public.study_user_attributes VALUES (30, 2, 'epochs', '2');
INSERT INTO public.study_user_attributes VALUES (31, 2, 'batch_size', '128');
INSERT INTO public.study_user_attributes VALUES (32, 2, 'schedule', '{"alpha": "inverse-sqrt", "per": "step", "factor": null, "every": null}');
INSERT INTO public.study_user_attributes VALUES (33, 2, 'data', '"real"');
INSERT INTO public.study_user_attributes VALUES (34, 2, 'objective', '"train_loss"');
INSERT INTO public.study_user_attributes VALUES (35, 2, 'target', 'null');
INSERT INTO public.study_user_attributes VALUES (36, 2, 'seed', '7');
INSERT INTO public.study_user_attributes VALUES (37, 2, 'device', '"any"');
INSERT INTO public.study_user_attributes VALUES (38, 2, 'diagnostics', 'false');
INSERT INTO public.study_user_attributes VALUES (39, 2, 'enqueue', '[]');
INSERT INTO public.study_user_attributes VALUES (40, 2, 'id', '"s-y4avpcdb"');
INSERT INTO public.trial_intermediate_values VALUES (1, 1, 1, 2.4735631280838124, 'FINITE');
INSERT INTO public.trial_intermediate_values VALUES (2, 1, 2, 2.4476797721593204, 'FINITE');
INSERT INTO public.trial_intermediate_values VALUES (3, 2, 1, 0.7860102693223981, 'FINITE');
INSERT INTO public.trial_intermediate_values VALUES (4, 2, 2, 0.5153896059619079, 'FINITE');
INSERT INTO public.trial_intermediate_values VALUES (5, 3, 1, 2.442357849243763, 'FINITE');
INSERT INTO public.trial_intermediate_values VALUES (6, 3, 2, 2.4109216304688768, 'FINITE');
INSERT INTO public.trial_intermediate_values VALUES (7, 4, 1, 2.4287877961385638, 'FINITE');
INSERT INTO public.trial_intermediate_values VALUES (8, 4, 2, 2.3868091761425805, 'FINITE');
INSERT INTO public.trial_params VALUES (1, 1, 'alpha', 0, '{"name": "CategoricalDistribution", "attributes": {"choices": [0.001, 0.1]}}');
INSERT INTO public.trial_params VALUES (2, 2, 'alpha', 1, '{"name": "CategoricalDistribution", "attributes": {"choices": [0.001, 0.1]}}');
INSERT INTO public.trial_params VALUES (3, 3, 'alpha', 0.002, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO public.trial_params VALUES (4, 3, 'one_minus_beta1', 0.1, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO public.trial_params VALUES (5, 3, 'one_minus_beta2', 0.001, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO public.trial_params VALUES (6, 4, 'alpha', 0.0020751044553847958, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO public.trial_params VALUES (7, 4, 'one_minus_beta1', 0.1662853700197239, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO public.trial_params VALUES (8, 4, 'one_minus_beta2', 0.0882336349898355, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO public.trial_user_attributes VALUES (1, 1, 'state', '"complete"');
INSERT INTO public.trial_user_attributes VALUES (2, 1, 'diverged', 'false');
INSERT INTO public.trial_user_attributes VALUES (3, 1, 'is_default', 'true');
INSERT INTO public.trial_user_attributes VALUES (4, 1, 'test_error', '0.8888888888888888');
INSERT INTO public.trial_user_attributes VALUES (5, 2, 'state', '"complete"');
INSERT INTO public.trial_user_attributes VALUES (6, 2, 'diverged', 'false');
INSERT INTO public.trial_user_attributes VALUES (7, 2, 'is_default', 'false');
INSERT INTO public.trial_user_attributes VALUES (8, 2, 'test_error', '0.10277777777777777');
INSERT INTO public.trial_user_attributes VALUES (9, 3, 'state', '"complete"');
INSERT INTO public.trial_user_attributes VALUES (10, 3, 'diverged', 'false');
INSERT INTO public.trial_user_attributes VALUES (11, 3, 'is_default', 'true');
INSERT INTO public.trial_user_attributes VALUES (12, 3, 'test_error', '0.8722222222222222');
INSERT INTO public.trial_user_attributes VALUES (13, 4, 'state', '"complete"');
INSERT INTO public.trial_user_attributes VALUES (14, 4, 'diverged', 'false');
INSERT INTO public.trial_user_attributes VALUES (15, 4, 'is_default', 'false');
INSERT INTO public.trial_user_attributes VALUES (16, 4, 'test_error', '0.8666666666666667');
INSERT INTO public.trial_values VALUES (1, 1, 0, 2.4476797721593204, 'FINITE');
INSERT INTO public.trial_values VALUES (2, 2, 0, 0.5153896059619079, 'FINITE');
INSERT INTO public.trial_values VALUES (3, 3, 0, 2.4109216304688768, 'FINITE');
INSERT INTO public.trial_values VALUES (4, 4, 0, 2.3868091761425805, 'FINITE');
INSERT INTO public.trials VALUES (1, 0, 1, 'COMPLETE', '2026-11-24 04:16:53.052781', '2026-11-24 04:16:53.140582');
INSERT INTO public.trials VALUES (2, 1, 1, 'COMPLETE', '2026-11-24 04:16:53.052781', '2026-11-24 04:16:53.140582');
INSERT INTO public.trials VALUES (3, 0, 2, 'COMPLETE', '2026-11-24 04:16:57.541386', '2026-11-24 04:16:57.652201');
INSERT INTO public.trials VALUES (4, 1, 2, 'COMPLETE', '2026-11-24 04:16:57.541386', '2026-11-24 04:16:57.652201');
INSERT INTO public.version_info VALUES (1, 12, '5.0.0');
SELECT pg_catalog.setval('public.result_arrays_id_seq', 2, true);
SELECT pg_catalog.setval('public.studies_study_id_seq', 2, true);
SELECT pg_catalog.setval('public.study_directions_study_direction_id_seq', 2, true);
SELECT pg_catalog.setval('public.study_system_attributes_study_system_attribute_id_seq', 1, false);
SELECT pg_catalog.setval('public.study_user_attributes_study_user_attribute_id_seq', 40, true);
SELECT pg_catalog.setval('public.trial_heartbeats_trial_heartbeat_id_seq', 1, false);
SELECT pg_catalog.setval('public.trial_intermediate_values_trial_intermediate_value_id_seq', 8, true);
SELECT pg_catalog.setval('public.trial_params_param_id_seq', 8, true);
SELECT pg_catalog.setval('public.trial_system_attributes_trial_system_attribute_id_seq', 1, false);
SELECT pg_catalog.setval('public.trial_user_attributes_trial_user_attribute_id_seq', 16, true);
SELECT pg_catalog.setval('public.trial_values_trial_value_id_seq', 4, true);
SELECT pg_catalog.setval('public.trials_trial_id_seq', 4, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.result_alembic_version
    ADD CONSTRAINT result_alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.result_arrays
    ADD CONSTRAINT result_arrays_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.result_calibrations
    ADD CONSTRAINT result_calibrations_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY public.result_diagnostics
    ADD CONSTRAINT result_diagnostics_pkey PRIMARY KEY (study_id, trial, replicate, epoch);
ALTER TABLE ONLY public.result_epochs
    ADD CONSTRAINT result_epochs_pkey PRIMARY KEY (study_id, trial, replicate, epoch);
ALTER TABLE ONLY public.result_studies
    ADD CONSTRAINT result_studies_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.result_suites
    ADD CONSTRAINT result_suites_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.result_trials
    ADD CONSTRAINT result_trials_pkey PRIMARY KEY (study_id, number);
ALTER TABLE ONLY public.result_workers
    ADD CONSTRAINT result_workers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.studies
    ADD CONSTRAINT studies_pkey PRIMARY KEY (study_id);
ALTER TABLE ONLY public.study_directions
    ADD CONSTRAINT study_directions_pkey PRIMARY KEY (study_direction_id);
ALTER TABLE ONLY public.study_directions
    ADD CONSTRAINT study_directions_study_id_objective_key UNIQUE (study_id, objective);
ALTER TABLE ONLY public.study_system_attributes
    ADD CONSTRAINT study_system_attributes_pkey PRIMARY KEY (study_system_attribute_id);
ALTER TABLE ONLY public.study_system_attributes
    ADD CONSTRAINT study_system_attributes_study_id_key_key UNIQUE (study_id, key);
ALTER TABLE ONLY public.study_user_attributes
    ADD CONSTRAINT study_user_attributes_pkey PRIMARY KEY (study_user_attribute_id);
ALTER TABLE ONLY public.study_user_attributes
    ADD CONSTRAINT study_user_attributes_study_id_key_key UNIQUE (study_id, key);
ALTER TABLE ONLY public.trial_heartbeats
    ADD CONSTRAINT trial_heartbeats_pkey PRIMARY KEY (trial_heartbeat_id);
ALTER TABLE ONLY public.trial_heartbeats
    ADD CONSTRAINT trial_heartbeats_trial_id_key UNIQUE (trial_id);
ALTER TABLE ONLY public.trial_intermediate_values
    ADD CONSTRAINT trial_intermediate_values_pkey PRIMARY KEY (trial_intermediate_value_id);
ALTER TABLE ONLY public.trial_intermediate_values
    ADD CONSTRAINT trial_intermediate_values_trial_id_step_key UNIQUE (trial_id, step);
ALTER TABLE ONLY public.trial_params
    ADD CONSTRAINT trial_params_pkey PRIMARY KEY (param_id);
ALTER TABLE ONLY public.trial_params
    ADD CONSTRAINT trial_params_trial_id_param_name_key UNIQUE (trial_id, param_name);
ALTER TABLE ONLY public.trial_system_attributes
    ADD CONSTRAINT trial_system_attributes_pkey PRIMARY KEY (trial_system_attribute_id);
ALTER TABLE ONLY public.trial_system_attributes
    ADD CONSTRAINT trial_system_attributes_trial_id_key_key UNIQUE (trial_id, key);
ALTER TABLE ONLY public.trial_user_attributes
    ADD CONSTRAINT trial_user_attributes_pkey PRIMARY KEY (trial_user_attribute_id);
ALTER TABLE ONLY public.trial_user_attributes
    ADD CONSTRAINT trial_user_attributes_trial_id_key_key UNIQUE (trial_id, key);
ALTER TABLE ONLY public.trial_values
    ADD CONSTRAINT trial_values_pkey PRIMARY KEY (trial_value_id);
ALTER TABLE ONLY public.trial_values
    ADD CONSTRAINT trial_values_trial_id_objective_key UNIQUE (trial_id, objective);
ALTER TABLE ONLY public.trials
    ADD CONSTRAINT trials_pkey PRIMARY KEY (trial_id);
ALTER TABLE ONLY public.version_info
    ADD CONSTRAINT version_info_pkey PRIMARY KEY (version_info_id);
CREATE INDEX ix_result_arrays_study_id ON public.result_arrays USING btree (study_id);
CREATE INDEX ix_result_studies_suite_id ON public.result_studies USING btree (suite_id);
CREATE INDEX ix_result_trials_array_id ON public.result_trials USING btree (array_id);
CREATE INDEX ix_result_trials_state ON public.result_trials USING btree (study_id, state);
CREATE UNIQUE INDEX ix_studies_study_name ON public.studies USING btree (study_name);
CREATE INDEX ix_trials_study_id ON public.trials USING btree (study_id);
ALTER TABLE ONLY public.result_arrays
    ADD CONSTRAINT result_arrays_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.result_studies(id);
ALTER TABLE ONLY public.result_diagnostics
    ADD CONSTRAINT result_diagnostics_study_id_trial_fkey FOREIGN KEY (study_id, trial) REFERENCES public.result_trials(study_id, number);
ALTER TABLE ONLY public.result_epochs
    ADD CONSTRAINT result_epochs_study_id_trial_fkey FOREIGN KEY (study_id, trial) REFERENCES public.result_trials(study_id, number);
ALTER TABLE ONLY public.result_studies
    ADD CONSTRAINT result_studies_suite_id_fkey FOREIGN KEY (suite_id) REFERENCES public.result_suites(id);
ALTER TABLE ONLY public.result_trials
    ADD CONSTRAINT result_trials_array_id_fkey FOREIGN KEY (array_id) REFERENCES public.result_arrays(id);
ALTER TABLE ONLY public.result_trials
    ADD CONSTRAINT result_trials_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.result_studies(id);
ALTER TABLE ONLY public.study_directions
    ADD CONSTRAINT study_directions_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.studies(study_id);
ALTER TABLE ONLY public.study_system_attributes
    ADD CONSTRAINT study_system_attributes_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.studies(study_id);
ALTER TABLE ONLY public.study_user_attributes
    ADD CONSTRAINT study_user_attributes_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.studies(study_id);
ALTER TABLE ONLY public.trial_heartbeats
    ADD CONSTRAINT trial_heartbeats_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);
ALTER TABLE ONLY public.trial_intermediate_values
    ADD CONSTRAINT trial_intermediate_values_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);
ALTER TABLE ONLY public.trial_params
    ADD CONSTRAINT trial_params_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);
ALTER TABLE ONLY public.trial_system_attributes
    ADD CONSTRAINT trial_system_attributes_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);
ALTER TABLE ONLY public.trial_user_attributes
    ADD CONSTRAINT trial_user_attributes_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);
ALTER TABLE ONLY public.trial_values
    ADD CONSTRAINT trial_values_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);
ALTER TABLE ONLY public.trials
    ADD CONSTRAINT trials_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.studies(study_id);
