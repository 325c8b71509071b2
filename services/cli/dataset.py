"""stub."""

import typer

app = typer.Typer()


@app.callback()
def dataset() -> None: ...
