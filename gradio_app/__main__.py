"""Start the pages: python -m gradio_app --api http://127.0.0.1:8000 --port 7861 --uploads FOLDER."""

import argparse
from pathlib import Path

import uvicorn

from gradio_app.uploads import keep_uploads_in


def main(arguments: list[str] | None = None) -> None:
    """Serve the pages until the process is stopped."""
    parser = argparse.ArgumentParser(prog="python -m gradio_app", description=__doc__)
    parser.add_argument("--api", default="http://127.0.0.1:8000", help="address of the API")
    parser.add_argument("--port", type=int, default=7861)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--uploads", type=Path, required=True, help="folder of uploads under way; emptied first"
    )
    options = parser.parse_args(arguments)
    keep_uploads_in(options.uploads.absolute())
    from gradio_app.app import create_app

    uvicorn.run(create_app(options.api), host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
