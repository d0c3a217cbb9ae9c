"""Preprocessors with weights: listed where these lie, drawing with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import Conv2d, Parameter
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from webui_engine.controlnet.annotators import Annotators, EdgeNetwork
from webui_engine.controlnet.preprocessors import preprocess
from webui_engine.device import choose_device
from webui_engine.errors import CheckpointBroken

CPU = choose_device("cpu")


def half_white(size: tuple[int, int] = (96, 64)) -> Image.Image:
    picture = Image.new("RGB", size)
    picture.paste("white", (size[0] // 2, 0, *size))
    return picture


def save_edges(models: Path) -> None:
    """Weights that answer to horizontal changes of brightness, at the picture's own size."""
    network = EdgeNetwork()
    for weight in network.parameters():
        weight.data.zero_()
    first, second = (convolution for convolution in network.block1.convs if isinstance(convolution, Conv2d))
    first.weight.data[0, :, 1, 0], first.weight.data[0, :, 1, 2] = -0.1, 0.1
    second.weight.data[0, 0, 1, 1] = 1.0
    network.block1.projection.weight.data[0, 0] = 1.0
    for block in (network.block1, network.block2, network.block3, network.block4, network.block5):
        block.projection.bias = Parameter(torch.tensor([-2.0]))
    (models / "annotators").mkdir(parents=True)
    torch.save(network.state_dict(), models / "annotators" / "ControlNetHED.pth")


def save_depth(models: Path) -> None:
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=518,
        patch_size=14,
        out_features=["stage1", "stage2"],
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        reassemble_factors=[2, 1],
        neck_hidden_sizes=[8, 8],
        fusion_hidden_size=8,
        head_hidden_size=4,
    )
    network = DepthAnythingForDepthEstimation(config)
    for convolution in (network.head.conv1, network.head.conv2, network.head.conv3):
        convolution.weight.data.normal_(0, 0.5)
        convolution.bias.data.fill_(1.0)
    network.save_pretrained(models / "annotators" / "depth_anything_v2")


def test_none_is_listed_without_weights(tmp_path: Path) -> None:
    assert Annotators([tmp_path], CPU).modules() == ()


def test_soft_edges_lie_where_the_brightness_changes(tmp_path: Path) -> None:
    save_edges(tmp_path)
    modules = Annotators([tmp_path], CPU).modules()
    assert [(module.name, module.alias) for module in modules] == [("hed", "softedge_hed")]
    drawn = np.asarray(preprocess(half_white(), "softedge_hed", 64, modules=modules).convert("L"))
    assert drawn.shape == (64, 96)
    assert drawn[32, 47:49].min() > drawn[32, 10:30].max() + 50


def test_depth_comes_at_the_pictures_size_from_black_to_white(tmp_path: Path) -> None:
    save_depth(tmp_path)
    modules = Annotators([tmp_path], CPU).modules()
    assert [module.name for module in modules] == ["depth_anything_v2"]
    drawn = np.asarray(preprocess(half_white(), "depth_anything_v2", 64, modules=modules))
    assert drawn.shape == (64, 96, 3)
    assert (drawn.min(), drawn.max()) == (0, 255)


def test_weights_that_are_none_are_called_so(tmp_path: Path) -> None:
    (tmp_path / "annotators").mkdir()
    (tmp_path / "annotators" / "ControlNetHED.pth").write_bytes(b"nothing")
    modules = Annotators([tmp_path], CPU).modules()
    with pytest.raises(CheckpointBroken):
        preprocess(half_white(), "hed", 64, modules=modules)
