"""Start the pages: python -m gradio_app --api http://127.0.0.1:8000 --port 7861."""

import argparse

import uvicorn

from gradio_app.app import create_app


def main(arguments: list[str] | None = None) -> None:
    """Serve the pages until the process is stopped."""
    parser = argparse.ArgumentParser(prog="python -m gradio_app", description=__doc__)
    parser.add_argument("--api", default="http://127.0.0.1:8000", help="address of the API")
    parser.add_argument("--port", type=int, default=7861)
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args(arguments)
    uvicorn.run(create_app(options.api), host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
