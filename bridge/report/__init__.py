"""The lecture page: what stores and landscapes hold, as one document that plays it back.

`sources` reads files; `comparison`, `motions` and `landscapes` gather what is drawn; `page` puts
it with the files of ``page/`` into one HTML document without any reference to another.
"""

from bridge.report.page import write_report

__all__ = ["write_report"]
