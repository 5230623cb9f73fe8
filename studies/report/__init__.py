"""What a study or suite found, as one self-contained HTML page that opens offline."""

from studies.report.page import render_report

__all__ = ["render_report"]
