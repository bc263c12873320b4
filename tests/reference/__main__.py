"""Write the pages."""

from tests.reference import FOLDER, rendered

for name, text in rendered().items():
    (FOLDER / name).write_text(text, "utf-8")
