"""LoRA (Hu et al. 2021): low-rank layers beside frozen ones, on attention alone or on convolutions too (LoCon).

DreamBooth with LoRA is the same with class pictures beside those of the person (training.embedded.prior).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer

from training.embedded.methods.teaching import Share, Tensors
from training.embedded.plan import LearningPlan
from webui_engine.diffusion.model import Model

ADAPTER = "identity"
_ATTENTION = re.compile(r"attentions\.\d+\.(proj_in|proj_out|transformer_blocks\.)")
_TEXT = re.compile(r"\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])$")


class Lora:
    """LoRA layers in the UNet, and in the text encoder where the method says so."""

    def __init__(self, model: Model, plan: LearningPlan, instance_token: str) -> None:
        self.word, self._plan = instance_token, plan
        self.hears = plan.method.text_encoder
        torch.manual_seed(plan.seed)
        steps = range(plan.word_steps, plan.steps)
        unet = [name for name, module in model.unet.named_modules() if _is_target(name, module, plan)]
        self._parts = {"lora_unet_": model.unet}
        self.shares: tuple[Share, ...] = (
            Share(parameters=_add(model.unet, unet, plan), learning_rate=plan.learning_rate, steps=steps),
        )
        if self.hears:
            text = [name for name, _ in model.text_encoder.named_modules() if _TEXT.search(name)]
            learnt = _add(model.text_encoder, text, plan)
            self._parts["lora_te_text_model_"] = model.text_encoder
            self.shares += (Share(parameters=learnt, learning_rate=plan.text_rate, steps=steps),)

    def move(self, optimizer: torch.optim.Optimizer) -> None:
        """The optimizer's step, no more."""
        optimizer.step()

    def tensors(self) -> Tensors:
        """In half precision under kohya's names."""
        parts = (kohya_tensors(network, prefix) for prefix, network in self._parts.items())
        return {name: tensor for part in parts for name, tensor in part.items()}

    def about(self) -> dict[str, str]:
        """Kohya's names for the network."""
        plan = self._plan
        return {
            "ss_network_module": "networks.lora",
            "ss_network_dim": str(plan.rank),
            "ss_network_alpha": str(float(plan.rank)),
            "ss_network_args": json.dumps({"conv_dim": plan.rank} if plan.layers == "all" else {}),
            "modelspec.architecture": "stable-diffusion-v1/lora",
        }


def kohya_tensors(network: torch.nn.Module, prefix: str) -> Tensors:
    """A network's adapter in half precision under kohya's names, with an alpha for each layer."""
    tensors: Tensors = {}
    for name, layer in adapter_layers(network):
        key = prefix + name.removeprefix("text_model.").replace(".", "_")
        tensors[f"{key}.lora_down.weight"] = half(layer.lora_A[ADAPTER].weight)
        tensors[f"{key}.lora_up.weight"] = half(layer.lora_B[ADAPTER].weight)
        tensors[f"{key}.alpha"] = torch.tensor(float(layer.lora_alpha[ADAPTER]), dtype=torch.float16)
    return tensors


def half(weight: torch.Tensor) -> torch.Tensor:
    """weight in half precision, for a file."""
    return weight.detach().to("cpu", torch.float16).contiguous()


def adapter_layers(network: torch.nn.Module) -> Iterator[tuple[str, LoraLayer]]:
    """Each adapted layer with its name in the network."""
    for name, module in network.named_modules():
        if isinstance(module, LoraLayer):
            yield name, module


def _add(network: torch.nn.Module, targets: list[str], plan: LearningPlan) -> tuple[torch.nn.Parameter, ...]:
    """Put layers beside the targets; their parameters, in single precision."""
    inject_adapter_in_model(
        LoraConfig(r=plan.rank, lora_alpha=plan.rank, target_modules=targets, init_lora_weights="gaussian"),
        network,
        adapter_name=ADAPTER,
    )
    parameters = tuple(parameter for parameter in network.parameters() if parameter.requires_grad)
    for parameter in parameters:
        parameter.data = parameter.data.float()
    return parameters


def _is_target(name: str, module: torch.nn.Module, plan: LearningPlan) -> bool:
    if plan.layers == "all":
        return isinstance(module, torch.nn.Linear | torch.nn.Conv2d)
    return isinstance(module, torch.nn.Linear) and _ATTENTION.search(name) is not None
