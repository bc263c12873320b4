"""QR codes, for telephones that are held in front of a screen."""

import io


def qr_code(text: str) -> str:
    """An SVG document of the text: black on white whatever is around it, with the margin that readers need."""
    # Only for those who enrol an app: nobody else waits for it to be loaded.
    import segno  # noqa: PLC0415

    drawn = io.BytesIO()
    segno.make_qr(text, error="m").save(drawn, kind="svg", scale=4, dark="black", light="white", xmldecl=False)
    return drawn.getvalue().decode()
