"""Checkpoints on disk: what is listed, under which names, and what can be loaded."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import CLIPTokenizer

from tests.unit.webui_engine.ldm_writer import ldm_state, write_ldm_file
from tests.unit.webui_engine.small_models import (
    TOKENIZER,
    Recorder,
    pixels,
    save_small_checkpoint,
    small_pipeline,
    small_task,
)
from webui_engine.diffusion import vocabulary
from webui_engine.diffusion.checkpoints import find_checkpoint, scan_checkpoints
from webui_engine.diffusion.engine import Engine
from webui_engine.diffusion.single_file import describe
from webui_engine.diffusion.vocabulary import find_tokenizer, tokenizer_of_table
from webui_engine.errors import BadValue, CheckpointBroken, MissingVocabulary, UnknownName


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with the same random checkpoint as a diffusers folder, a .safetensors and a .ckpt."""
    models = tmp_path_factory.mktemp("checkpoints")
    root = models / "Stable-diffusion"
    pipeline = save_small_checkpoint(root / "folder")
    write_ldm_file(pipeline, root / "anime" / "single.safetensors")
    write_ldm_file(pipeline, root / "pickled.ckpt")
    shutil.copytree(TOKENIZER, models / "tokenizer")
    return models


@pytest.fixture
def engine(models: Path) -> Engine:
    return Engine([models], device="cpu")


def test_folders_and_single_files_are_listed_by_name(engine: Engine) -> None:
    listed = [(info.title, info.model_name, info.hash) for info in engine.checkpoints()]

    assert listed == [
        ("anime/single.safetensors", "anime_single", None),
        ("folder", "folder", None),
        ("pickled.ckpt", "pickled", None),
    ]


def test_checkpoints_outside_the_models_folders_are_listed_and_loaded_too(
    models: Path, tmp_path: Path
) -> None:
    elsewhere = shutil.copy(models / "Stable-diffusion" / "pickled.ckpt", tmp_path / "mine.ckpt")
    engine = Engine([models], checkpoints=[Path(elsewhere)], device="cpu")
    engine.refresh_checkpoints()

    assert [info.title for info in engine.checkpoints()][2] == "mine.ckpt"
    assert engine.load("mine.ckpt").filename == str(tmp_path / "mine.ckpt")


def test_the_hash_joins_the_title_when_the_checkpoint_is_first_loaded(engine: Engine) -> None:
    info = engine.load("anime_single")

    assert info == engine.loaded == engine.checkpoints()[0]
    assert info.sha256 is not None
    assert info.title == f"anime/single.safetensors [{info.sha256[:10]}]"
    engine.refresh_checkpoints()
    assert engine.checkpoints()[0] == info


def test_a_checkpoint_answers_to_title_name_file_and_hash(engine: Engine) -> None:
    info = engine.load("single.safetensors")

    assert info.hash is not None
    assert info.sha256 is not None
    for name in (
        info.title,
        "anime/single.safetensors",
        "anime_single",
        "single.safetensors",
        info.hash,
        info.sha256,
    ):
        assert find_checkpoint(name, engine.checkpoints()) == info


def test_an_unknown_checkpoint_is_refused_and_the_loaded_one_stays(engine: Engine) -> None:
    loaded = engine.load("folder")

    with pytest.raises(UnknownName) as refused:
        engine.load("nothing")

    assert refused.value.kind == "checkpoint"
    assert engine.loaded == loaded


@pytest.mark.parametrize("name", ["anime_single", "pickled"])
def test_a_single_file_makes_the_same_picture_as_the_folder_it_was_made_from(
    engine: Engine, name: str
) -> None:
    single, folder = (
        pixels(engine.generate(small_task(checkpoint=checkpoint), Recorder()).pictures[0].image)
        for checkpoint in (name, "folder")
    )

    assert np.array_equal(single, folder)


def test_a_switch_of_the_checkpoint_is_told_in_the_result(engine: Engine) -> None:
    result = engine.generate(small_task(checkpoint="folder"), Recorder())

    assert (result.model_name, result.model_hash) == ("folder", engine.loaded.hash)


def test_the_file_beside_a_checkpoint_tells_what_it_predicts(models: Path) -> None:
    file = models / "Stable-diffusion" / "anime" / "single.safetensors"
    file.with_suffix(".yaml").write_text(
        "model: {params: {parameterization: v, unet_config: {params: {num_heads: 4}}}}"
    )
    from_yaml = describe(file)
    file.with_suffix(".json").write_text(
        json.dumps({"scheduler": {"prediction_type": "sample"}, "notes": "mine"})
    )
    from_json = describe(file)
    file.with_suffix(".yaml").unlink()
    file.with_suffix(".json").unlink()

    assert (from_yaml["scheduler"]["prediction_type"], from_yaml["unet"]["attention_head_dim"]) == (
        "v_prediction",
        4,
    )
    assert from_json["scheduler"]["prediction_type"] == "sample"


def test_a_single_file_is_read_with_clips_own_words(tmp_path: Path) -> None:
    words = find_tokenizer(tmp_path / "alone.safetensors", [])

    assert words("a photo of a").input_ids == [49406, 320, 1125, 539, 320, 49407]


def test_a_single_file_without_any_tokenizer_at_hand_says_where_to_put_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "find_spec", lambda package: None)
    write_ldm_file(small_pipeline(), tmp_path / "Stable-diffusion" / "alone.safetensors")

    with pytest.raises(MissingVocabulary, match=r"vocab\.json") as refused:
        Engine([tmp_path], device="cpu").load("alone")

    assert str(tmp_path / "tokenizer") in refused.value.searched


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.safetensors", b""),
        ("garbage.safetensors", b"not a tensor file, but long enough to have a header"),
        ("garbage.ckpt", b"neither is this"),
    ],
)
def test_a_broken_file_is_named_and_the_loaded_checkpoint_stays(
    models: Path, name: str, content: bytes
) -> None:
    engine = Engine([models], device="cpu")
    loaded = engine.load("folder")
    broken = models / "Stable-diffusion" / name
    broken.write_bytes(content)
    engine.refresh_checkpoints()

    with pytest.raises(CheckpointBroken, match=name):
        engine.load(name)

    broken.unlink()
    assert engine.loaded == loaded
    assert engine.generate(small_task(), Recorder()).model_name == "folder"


def test_a_lora_put_among_the_checkpoints_is_called_what_it_is_not(tmp_path: Path) -> None:
    (tmp_path / "Stable-diffusion").mkdir()
    save_file({"lora_unet_x.alpha": torch.ones(1)}, tmp_path / "Stable-diffusion" / "lora.safetensors")

    with pytest.raises(CheckpointBroken, match="not a Stable Diffusion 1 or XL checkpoint"):
        Engine([tmp_path], device="cpu").load("lora")


def test_a_folder_with_a_missing_network_is_broken(tmp_path: Path) -> None:
    folder = tmp_path / "Stable-diffusion" / "torn"
    save_small_checkpoint(folder)
    shutil.rmtree(folder / "unet")

    with pytest.raises(CheckpointBroken, match="torn"):
        Engine([tmp_path], device="cpu").load("torn")


def test_a_folder_whose_tokenizer_has_no_files_is_broken_rather_than_deaf(tmp_path: Path) -> None:
    folder = tmp_path / "Stable-diffusion" / "deaf"
    save_small_checkpoint(folder)
    (folder / "tokenizer" / "tokenizer.json").unlink()

    with pytest.raises(CheckpointBroken, match="tokenizer"):
        Engine([tmp_path], device="cpu").load("deaf")


def test_a_tokenizer_that_knows_more_words_than_the_text_encoder_is_refused(tmp_path: Path) -> None:
    checkpoint = write_ldm_file(small_pipeline(), tmp_path / "Stable-diffusion" / "alone.safetensors")
    words = ["<|startoftext|>", "<|endoftext|>", *map(str, range(60_000))]
    vocabulary = {word: index for index, word in enumerate(words)}
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(checkpoint.with_suffix(".tokenizer"))

    with pytest.raises(CheckpointBroken, match="60002 words"):
        Engine([tmp_path], device="cpu").load("alone")


def test_clips_published_table_of_merges_becomes_its_tokenizer(tmp_path: Path) -> None:
    table = tmp_path / "bpe_simple_vocab_16e6.txt.gz"
    table.write_bytes(gzip.compress(b"#version: 0.2\ni n\nt h\nth e</w>\n"))

    tokenizer = tokenizer_of_table(table)

    assert len(tokenizer) == 2 * 256 + 3 + 2
    assert (
        tokenizer.convert_ids_to_tokens(tokenizer("the inn", add_special_tokens=False).input_ids)[0]
        == "the</w>"
    )
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == len(tokenizer) - 1


def test_a_checkpoint_in_a_webuis_folder_is_read_with_the_vocabulary_that_webui_carries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "find_spec", lambda package: None)
    checkpoint = tmp_path / "webui" / "models" / "Stable-diffusion" / "people" / "anna.safetensors"
    package = tmp_path / "webui" / "venv" / "lib" / "python3.10" / "site-packages" / "clip"
    package.mkdir(parents=True)
    (package / "bpe_simple_vocab_16e6.txt.gz").write_bytes(gzip.compress(b"#version: 0.2\ni n\n"))

    assert len(find_tokenizer(checkpoint, [])) == 2 * 256 + 1 + 2


def test_an_empty_models_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="available: none"):
        Engine([tmp_path], device="cpu").generate(small_task(), Recorder())


def test_hidden_and_half_written_folders_are_not_listed(tmp_path: Path) -> None:
    root = tmp_path / "Stable-diffusion"
    (root / ".small.writing").mkdir(parents=True)
    (root / ".small.writing" / "model_index.json").write_text("{}")

    assert scan_checkpoints([tmp_path]) == ()


def test_unload_frees_the_checkpoint_and_reload_brings_it_back(engine: Engine) -> None:
    engine.load("folder")
    engine.unload()
    assert engine._bench is None

    engine.reload()

    assert engine.loaded.model_name == "folder"
    assert engine.native_size == 64


def test_only_the_bundled_model_calls_itself_a_demonstration(engine: Engine, bundled_engine: Engine) -> None:
    engine.load("folder")

    assert bundled_engine.demonstration
    assert not engine.demonstration


@pytest.mark.parametrize("layout", ["ldm", "diffusers", "folder"])
def test_another_autoencoder_changes_the_picture_and_can_be_taken_out_again(
    models: Path, layout: str, tmp_path: Path
) -> None:
    other = small_pipeline(seed=5)
    name = "other" if layout == "folder" else "other.safetensors"
    place = tmp_path / "VAE" / name
    place.parent.mkdir()
    if layout == "folder":
        other.vae.save_pretrained(place)
    elif layout == "diffusers":
        save_file(other.vae.state_dict(), place)
    else:
        prefix = "first_stage_model."
        save_file(
            {k.removeprefix(prefix): v for k, v in ldm_state(other).items() if k.startswith(prefix)}, place
        )
    engine = Engine([models, tmp_path], device="cpu")
    engine.load("folder")

    own, replaced, again = (
        engine.generate(small_task(vae=vae), Recorder()) for vae in (None, name, "Automatic")
    )

    assert [vae.model_name for vae in engine.vaes()] == [name]
    assert replaced.vae_name == name
    assert replaced.vae_hash is not None
    assert len(replaced.vae_hash) == 10
    assert not np.array_equal(pixels(own.pictures[0].image), pixels(replaced.pictures[0].image))
    assert np.array_equal(pixels(own.pictures[0].image), pixels(again.pictures[0].image))


def test_an_autoencoder_with_other_latents_is_refused(
    models: Path, tmp_path: Path, bundled_models: Path
) -> None:
    shutil.copytree(bundled_models / "Stable-diffusion" / "sajin-tiny" / "vae", tmp_path / "VAE" / "tiny")
    engine = Engine([models, tmp_path], device="cpu")
    engine.load("folder")

    with pytest.raises(BadValue, match="latent channels"):
        engine.generate(small_task(vae="tiny"), Recorder())


def test_an_unknown_autoencoder_is_refused(small_engine: Engine) -> None:
    with pytest.raises(UnknownName, match="VAE"):
        small_engine.generate(small_task(vae="nothing.pt"), Recorder())
