"""The `sajin` command. Only what is needed to print help is imported here; each command brings its own parts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from command_line.guard import one_line_errors, read_settings
from training.names import MethodName, TrainerName

app = typer.Typer(
    name="sajin",
    help="Sajin (사진): a self-hosted AI photo studio.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # importing rich for the help alone would double its time
    pretty_exceptions_enable=False,
)
preset = typer.Typer(help="Look after presets.", no_args_is_help=True)
app.add_typer(preset, name="preset")
servers = typer.Typer(help="See the WebUI servers, and drain one.", no_args_is_help=True)
app.add_typer(servers, name="servers")
photo_folder = typer.Typer(help="Look at photos before anything is learned from them.", no_args_is_help=True)
app.add_typer(photo_folder, name="photos")
models = typer.Typer(help="Download recommended open models.", no_args_is_help=True)
app.add_typer(models, name="models")


class Paper(StrEnum):
    """The papers a sheet can be printed on."""

    CM_10X15 = "10x15"
    CM_13X18 = "13x18"
    A4 = "a4"
    INCH_4X6 = "4x6in"
    INCH_5X7 = "5x7in"


class AnimationFile(StrEnum):
    """The formats that animations are written in."""

    GIF = "gif"
    MP4 = "mp4"
    WEBP = "webp"
    APNG = "apng"


class Language(StrEnum):
    """The languages that sentences come in."""

    ENGLISH = "en"
    KOREAN = "ko"


Photos = Annotated[
    Path,
    typer.Option(
        "--photos", exists=True, file_okay=False, help="Folder with about ten photos of one person."
    ),
]
ClassNoun = Annotated[str, typer.Option("--class-noun", help="person, woman, man, girl or boy.")]
Steps = Annotated[
    int | None,
    typer.Option("--steps", min=1, max=20000, help="Training steps; the trainer chooses if left out."),
]
WebUi = Annotated[
    list[str] | None, typer.Option("--webui", help="A WebUI server's address; may be repeated.")
]
ServerUrl = Annotated[str, typer.Argument(help="Its address, as `sajin servers list` shows it.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of standard output.")
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--into",
        exists=True,
        file_okay=False,
        help="The folder of a WebUI; the embedded engine's models folder if left out.",
    ),
]


@app.command()
def up() -> None:
    """Start the studio: engine (if no WebUI is set), worker, API and pages, until Ctrl-C."""
    with one_line_errors():
        from command_line import up as studio_up

        studio_up.run(read_settings())


@app.command()
def api() -> None:
    """Run the HTTP API alone."""
    with one_line_errors():
        from command_line import services

        services.run_api(read_settings())


@app.command()
def worker(webui: WebUi = None) -> None:
    """Run a worker alone, beside the WebUI servers it drives."""
    with one_line_errors():
        from command_line import services

        services.run_worker(read_settings(**({"webui_urls": tuple(webui)} if webui else {})))


@app.command()
def ui() -> None:
    """Run the pages alone."""
    with one_line_errors():
        from command_line import services

        services.run_pages(read_settings())


@app.command()
def engine() -> None:
    """Run the embedded engine alone."""
    with one_line_errors():
        from command_line import services

        services.run_engine(read_settings())


@app.command()
def portrait(
    photos: Photos,
    preset_name: Annotated[
        str, typer.Option("--preset", help="What to make; see the presets folder.")
    ] = "studio-profile",
    count: Annotated[int, typer.Option("--count", min=1, max=16, help="How many pictures.")] = 2,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Repeats a run.")] = None,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Where the pictures go.")] = Path(
        "portraits"
    ),
    pose: Annotated[
        str | None, typer.Option("--pose", help="A pose picture to follow, for example shipped-front.")
    ] = None,
    file_format: Annotated[
        AnimationFile | None,
        typer.Option("--format", help="Of an animation, beside the animated PNG."),
    ] = None,
    budget_kb: Annotated[
        int | None,
        typer.Option("--budget-kb", min=16, max=100_000, help="With --format gif: at most so many KB."),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            exists=True,
            dir_okay=False,
            help="A picture to take after (pose, expression, clothes, background), for instant presets.",
        ),
    ] = None,
    likeness_bar: Annotated[
        float | None,
        typer.Option("--likeness-bar", min=0, max=1, help="Deliver only pictures of at least this likeness."),
    ] = None,
    likeness_budget: Annotated[
        int | None,
        typer.Option("--likeness-budget", min=1, max=64, help="How many pictures may be made for the bar."),
    ] = None,
    tone: Annotated[
        str | None,
        typer.Option("--tone", help="A film look, for example warm-portrait; see prompts/tones.yaml."),
    ] = None,
    webui: WebUi = None,
    class_noun: ClassNoun = "person",
    steps: Steps = None,
    as_json: Json = False,
) -> None:
    """Do the whole job: judge the photos, learn the person, make the portraits.

    Running it says that the person in the photos agrees to this use.
    """
    with one_line_errors():
        from command_line import portrait as portrait_job

        if budget_kb is not None and file_format is not AnimationFile.GIF:
            raise typer.BadParameter("a budget in KB needs --format gif", param_hint="--budget-kb")
        request = portrait_job.PortraitRequest(
            photos=photos,
            preset=preset_name,
            count=count,
            seed=seed,
            out=out,
            class_noun=class_noun,
            pose=pose,
            reference=reference,
            tone=tone,
            steps=steps,
            format=None if file_format is None else file_format.value,
            budget_kb=budget_kb,
            likeness_bar=likeness_bar,
            likeness_budget=likeness_budget,
        )
        raise typer.Exit(portrait_job.run(request, tuple(webui or ()), as_json=as_json))


@app.command()
def train(
    photos: Photos,
    name: Annotated[
        str | None, typer.Option("--name", help="The person's name; the folder's name if left out.")
    ] = None,
    steps: Steps = None,
    trainer: Annotated[
        TrainerName | None,
        typer.Option("--trainer", help="What does the learning; SAJIN_TRAINER if left out."),
    ] = None,
    method: Annotated[
        MethodName | None,
        typer.Option("--method", help="How Sajin's own trainer teaches; lora if left out."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="NAME=VALUE of the method, such as text_encoder=true; repeatable."),
    ] = None,
    webui: WebUi = None,
    class_noun: ClassNoun = "person",
    as_json: Json = False,
) -> None:
    """Learn a person from photos, for later jobs.

    Running it says that the person in the photos agrees to this use.
    """
    with one_line_errors():
        from command_line import train as train_job

        request = train_job.TrainRequest(
            photos=photos,
            name=name or photos.resolve().name,
            class_noun=class_noun,
            steps=steps,
            trainer=trainer,
            method=train_job.method_of(method, option or []),
        )
        train_job.run(request, tuple(webui or ()), as_json=as_json)


@app.command("id-photo")
def id_photo(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo of one person.")],
    document: Annotated[
        list[str], typer.Option("--document", help="What it is for; see presets/id. May be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Where the files go.")],
    sheet: Annotated[
        Paper | None, typer.Option("--sheet", help="Also a sheet to print on this paper, as PDF and JPEG.")
    ] = None,
    dpi: Annotated[
        int | None, typer.Option("--dpi", min=100, max=1200, help="The document's own if left out.")
    ] = None,
    gap: Annotated[float, typer.Option("--gap", min=0, max=20, help="Millimetres between pictures.")] = 2.0,
    check: Annotated[
        bool, typer.Option("--check", help="Only check whether the photo is acceptable as it is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an ID photo for a document, or check one. Needs no server and no model."""
    with one_line_errors():
        from command_line import id_photo as making

        request = making.IdPhotoRequest(
            photo=photo,
            documents=tuple(document),
            sheet=sheet.value if sheet else None,
            dpi=dpi,
            gap=gap,
            check_only=check,
            out=out,
        )
        raise typer.Exit(making.run(request, read_settings(), as_json=as_json))


@app.command()
def animal(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo of one person.")],
    name: Annotated[
        str | None, typer.Option("--animal", help="Which one; the one most like the face if left out.")
    ] = None,
    preset_name: Annotated[
        str | None,
        typer.Option("--preset", help="animal, animal-pose or animal-repaint; the first possible."),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, max=16, help="How many pictures.")] = 1,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Repeats a run.")] = None,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Where the pictures go.")] = Path(
        "animals"
    ),
    rank_only: Annotated[
        bool, typer.Option("--rank-only", help="Only say which animals the face is like; needs no server.")
    ] = False,
    webui: WebUi = None,
    as_json: Json = False,
) -> None:
    """Say which animal a face is like and why, and make pictures of it that keep pose and features.

    Making them says that the person in the photo agrees to this use.
    """
    with one_line_errors():
        from command_line import animal as likening

        request = likening.AnimalRequest(
            photo=photo,
            animal=name,
            preset=preset_name,
            count=count,
            seed=seed,
            out=out,
            rank_only=rank_only,
        )
        raise typer.Exit(likening.run(request, read_settings(), tuple(webui or ()), as_json=as_json))


@app.command()
def doctor() -> None:
    """Look at this installation and say what works and what does not."""
    with one_line_errors():
        from command_line import doctor as examination

        raise typer.Exit(examination.run(read_settings()))


@servers.command("list")
def list_servers(as_json: Json = False) -> None:
    """Show the servers of the studio that runs, as its worker last saw them."""
    with one_line_errors():
        from command_line import servers as of_the_studio

        of_the_studio.show(read_settings(), as_json=as_json)


@servers.command("drain")
def drain_server(url: ServerUrl) -> None:
    """Let a server take no new work until it is resumed; what runs there is finished first."""
    with one_line_errors():
        from command_line import servers as of_the_studio

        of_the_studio.drain(read_settings(), url)


@servers.command("resume")
def resume_server(url: ServerUrl) -> None:
    """Let a drained server take work again."""
    with one_line_errors():
        from command_line import servers as of_the_studio

        of_the_studio.resume(read_settings(), url)


@preset.command("check")
def preset_check(
    files: Annotated[
        list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="Preset files.")
    ] = None,
) -> None:
    """Check preset files, or the whole library of presets and prompts."""
    with one_line_errors():
        from command_line import preset_check as check

        raise typer.Exit(check.run(read_settings(), tuple(files or ())))


@photo_folder.command("check")
def photos_check(
    folder: Annotated[Path, typer.Argument(help="Folder with photos of one person.")],
    language: Annotated[
        Language, typer.Option("--language", help="What the sentences are written in.")
    ] = Language.ENGLISH,
    as_json: Json = False,
) -> None:
    """Judge photos, caption them, and say what one more would help most. Needs no server and no model.

    The exit status is 0 when the photos suffice for learning, 1 when they do not, 2 when they cannot be looked at.
    """
    with one_line_errors():
        from command_line import photos_check as check

        raise typer.Exit(check.run(folder, language.value, as_json=as_json))


@models.command("list")
def models_list(into: Into = None, as_json: Json = False) -> None:
    """Show the recommended models: what each is for, its size and licence, and whether it is there."""
    with one_line_errors():
        from command_line import models as recommended

        recommended.run_list(read_settings(), into, as_json=as_json)


@models.command("get")
def models_get(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names out of the list.")],
    into: Into = None,
    as_json: Json = False,
) -> None:
    """Download models, checked by their SHA-256; one that broke off goes on from there.

    Their licences are told before. HF_ENDPOINT names another hub, HF_TOKEN opens models that want a sign-in.
    """
    with one_line_errors():
        from command_line import models as recommended

        recommended.run_get(read_settings(), names, into, as_json=as_json)
