"""Reports as one HTML file that needs no other: jinja2 and matplotlib, the extra ``report``."""
