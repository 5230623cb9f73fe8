"""What the chaos database watches for by itself, and the clock of its own that can be set.

A trigger notes which process took each array's lease last, by the name that its connections carry (PGAPPNAME), and
another every row that some other process tries to write for the array. Functions are looked up in the schema `chaos`
before PostgreSQL's own, so that the product's statements read the clock that is stepped here.
"""

from sqlalchemy import Connection, Engine, text

_SCHEMA = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.clock (step interval NOT NULL);
INSERT INTO chaos.clock VALUES ('0');
CREATE FUNCTION chaos.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    'SELECT pg_catalog.clock_timestamp() + step FROM chaos.clock';
CREATE TABLE chaos.holders (array_id integer PRIMARY KEY, holder text NOT NULL);
CREATE TABLE chaos.strangers (
    study_id text, trial integer, replicate integer, epoch integer, writer text, holder text,
    at timestamptz DEFAULT pg_catalog.clock_timestamp()
);
CREATE FUNCTION chaos.note_holder() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos.holders VALUES (new.id, current_setting('application_name'))
    ON CONFLICT (array_id) DO UPDATE SET holder = excluded.holder;
    RETURN NULL;
END $$;
CREATE TRIGGER note_holder AFTER UPDATE OF token ON result_arrays FOR EACH ROW
    WHEN (old.token IS DISTINCT FROM new.token) EXECUTE FUNCTION chaos.note_holder();
CREATE FUNCTION chaos.check_writer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE writer text := current_setting('application_name');
        found text;
BEGIN
    SELECT holder INTO found FROM result_trials t JOIN chaos.holders h USING (array_id)
        WHERE t.study_id = new.study_id AND t.number = new.trial;
    IF found IS DISTINCT FROM writer THEN
        INSERT INTO chaos.strangers VALUES (new.study_id, new.trial, new.replicate, new.epoch, writer, found);
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER check_writer BEFORE INSERT ON result_epochs FOR EACH ROW EXECUTE FUNCTION chaos.check_writer();
"""


def install(engine: Engine) -> None:
    """Add the audit to an upgraded PostgreSQL database that nobody uses yet."""
    with engine.begin() as connection:
        connection.exec_driver_sql(_SCHEMA)
        name = engine.url.database
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET search_path = public, chaos, pg_catalog')
    engine.dispose()


def set_clock(connection: Connection, seconds: float) -> None:
    """Put the database's clock so far off the real time."""
    connection.execute(text("UPDATE chaos.clock SET step = make_interval(secs => :seconds)"), {"seconds": seconds})


def stranger_writes(connection: Connection, study_id: str) -> list[str]:
    """Return, in words, what processes wrote of a study for arrays whose lease another had."""
    rows = connection.execute(
        text("SELECT * FROM chaos.strangers WHERE study_id = :id ORDER BY trial, replicate, epoch"), {"id": study_id}
    )
    return [
        f"{row.writer} wrote epoch {row.epoch} of trial {row.trial}, replicate {row.replicate}, held by {row.holder}"
        for row in rows
    ]
