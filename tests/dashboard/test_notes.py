"""Notes on a study: written on its page, shown as they were typed."""

from studies.db.engine import Database
from studies.db.queries import find_study
from tests.dashboard.conftest import OpenPage, errors
from tests.factories import insert_study

HOSTILE = "<script>alert(1)</script>\n# *not* a [heading](http://x.example)"


def test_notes_are_written_changed_and_removed(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db)
    app = open_page("study", id=study_id, section="Notes and spec")
    assert not app.text
    for text, kept in ((HOSTILE, HOSTILE), (" second \n", "second"), ("  ", None)):
        app.text_area(key=f"notes_{study_id}").set_value(text)
        app.button[-1].click().run()
        assert errors(app) == []
        assert find_study(db, study_id).notes == kept
        shown = open_page("study", id=study_id)
        assert [one.value for one in shown.text] == ([] if kept is None else [kept])  # plain text, never Markdown
        assert not any("alert" in one.value for one in shown.markdown)
