"""Settings: read once, frozen, with defaults that follow from each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from studio.settings import BUNDLED_CHECKPOINT, REPOSITORY, Settings


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def test_without_a_webui_the_embedded_engine_serves() -> None:
    plain = settings(data=Path("/somewhere"), engine_port=7001)
    assert plain.uses_embedded_engine
    assert plain.server_urls == ("http://127.0.0.1:7001",)
    assert plain.training_checkpoint == BUNDLED_CHECKPOINT
    assert plain.installed_loras == Path("/somewhere/loras")


def test_webuis_come_comma_separated_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAJIN_WEBUI_URLS", "http://a:7860/ , http://b:7860")
    assert settings().server_urls == ("http://a:7860", "http://b:7860")


def test_beside_a_webui_nothing_is_assumed_about_its_files() -> None:
    beside = settings(webui_urls=("http://a:7860",))
    assert beside.training_checkpoint is None
    assert beside.installed_loras is None


def test_servers_may_have_lora_folders_of_their_own_and_the_others_share_one() -> None:
    several = settings(
        webui_urls="http://a:7860,http://b:7860,http://c:7860",
        lora_dir=Path("/shared"),
        lora_dirs="http://b:7860/=/mnt/b/Lora, http://unused:1=/mnt/x",
    )
    assert several.lora_folders == (Path("/shared"), Path("/mnt/b/Lora"))
    assert settings(webui_urls="http://a:7860", lora_dirs="http://a:7860=/a").lora_folders == (Path("/a"),)
    assert settings(webui_urls="http://a:7860").lora_folders == ()
    assert settings(data=Path("/d")).lora_folders == (Path("/d/loras"),)


def test_a_dotenv_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SAJIN_API_PORT=9001\n", encoding="utf-8")
    assert Settings(_env_file=tmp_path / ".env").api_port == 9001


def test_sqlite_keeps_the_durable_queue_in_a_file_of_its_own_and_postgresql_does_not() -> None:
    assert settings(data=Path("/d")).durable_database == "sqlite:////d/dbos.db"
    assert settings(database_url="postgresql://db/sajin").durable_database == "postgresql://db/sajin"


def test_a_password_is_not_shown() -> None:
    guarded = settings(webui_auth="anna:secret")
    assert guarded.auth_pair == ("anna", "secret")
    assert "secret" not in repr(guarded)


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_port": 0},
        {"webui_auth": "no colon"},
        {"lora_dirs": "/models/Lora"},
        {"lora_dirs": "http://gpu:7860="},
        {"webui_urls": "gpu:7860"},
        {"webui_urls": "http://gpu:7860,ftp://gpu"},
        {"executor_id": "../x"},
        {"log_level": "loud"},
    ],
)
def test_a_value_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        settings().api_port = 1  # type: ignore[misc]


@pytest.mark.parametrize("document", ["README.md", "docs/operations.md"])
def test_the_tables_of_settings_name_every_setting_with_its_default(document: str) -> None:
    written = settings_told_in(REPOSITORY / document)
    assert written.keys() == Settings.model_fields.keys()
    for name, told in written.items():
        default = Settings.model_fields[name].default
        if isinstance(default, Path) and default.is_absolute():
            default = default.relative_to(REPOSITORY)
        assert default in (None, ()) or told in written_forms(default), name


def written_forms(default: object) -> set[str]:
    return {str(default), str(default).removesuffix(".0")}


def settings_told_in(document: Path) -> dict[str, str]:
    """Field and written default of each setting in a document's table; a row may tell of several."""
    told: dict[str, str] = {}
    for line in document.read_text("utf-8").splitlines():
        if line.startswith("| `SAJIN_"):
            names, defaults = (cell.replace("`", "").strip() for cell in line.split("|")[1:3])
            fields = [name.removeprefix("SAJIN_").lower() for name in names.split(", ")]
            told |= dict(zip(fields, defaults.split(", ") if len(fields) > 1 else [defaults], strict=True))
    return told
