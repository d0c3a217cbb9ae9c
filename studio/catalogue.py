"""The presets as people choose among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from studio.database.connect import Database
from studio.errors import MissingCapability, NotFound
from studio.library.offers import OfferSpec
from studio.library.reading import Library, Product
from studio.planning.check import require_capable_server
from studio.planning.names import OR
from studio.planning.overrides import preset_options
from studio.planning.plan import Order, ServerFacts
from studio.planning.planning import lacks_of
from studio.servers import known_servers
from studio.values import (
    JobOptions,
    MissingPart,
    Offer,
    Preset,
    PresetCheck,
    PresetStage,
    TrainingAvailability,
)

PRODUCTS = ("profile", "look", "instant", "animated", "animal")
Parts = tuple[MissingPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What products lack on these servers, by the products' versions; to plan them all takes a third of a second.

    Of each: what keeps it from being made, and what it is made without.
    """

    servers: tuple[ServerFacts, ...] = ()
    parts: dict[str, tuple[Parts, Parts]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """The studio's products. folder: where their thumbnails lie. known: of the servers as they were last seen."""

    database: Database
    library: Library
    folder: Path
    known: Known = field(default_factory=Known)

    def list(self) -> tuple[Preset, ...]:
        """Profiles, then looks, instant and animated ones, then animals; the studio profile first, then by name."""
        servers = self._servers()
        products = sorted(self.library.products.values(), key=_rank)
        return tuple(self._value(product, servers) for product in products)

    def get(self, name: str) -> Preset:
        """One preset. Raises NotFound."""
        return self._value(self._product(name), self._servers())

    def thumbnail(self, name: str) -> Path:
        """The preset's picture. Raises NotFound."""
        file = self._thumbnail(self._product(name))
        if file is None:
            raise NotFound("thumbnail", name)
        return file

    def offers(self, training: TrainingAvailability) -> tuple[Offer, ...]:
        """What the start page shows. training: whether persons can be learned now."""
        presets = self.list()
        offers = (self._offer(name, spec, presets, training) for name, spec in self.library.offers.items())
        return tuple(offer for offer in offers if offer is not None)

    def offer_thumbnail(self, name: str) -> Path:
        """The picture of a product on the start page. Raises NotFound."""
        spec = self.library.offers.get(name)
        file = None if spec is None else self._picture(spec.thumbnail)
        if file is None:
            raise NotFound("product", name)
        return file

    def _offer(
        self, name: str, spec: OfferSpec, presets: Sequence[Preset], training: TrainingAvailability
    ) -> Offer | None:
        """One product; None while there is no preset of its kinds."""
        makers = [preset for preset in presets if preset.product in spec.kinds]
        if spec.kinds and not makers:
            return None
        able = not spec.kinds or any(preset.available for preset in makers)
        learnable = training.available or not spec.learns
        return Offer(
            name=name,
            title=spec.title,
            description=spec.description,
            has_thumbnail=self._picture(spec.thumbnail) is not None,
            presets=tuple(preset.name for preset in makers),
            available=able and learnable,
            missing=() if able else makers[0].missing,
            obstacle=None if learnable else training.code,
        )

    def validate(self, text: str) -> PresetCheck:
        """The verdict on a preset's text."""
        _, problems = self.library.check(text)
        return PresetCheck(ok=not problems, problems=tuple(problems))

    def _product(self, name: str) -> Product:
        product = self.library.products.get(name)
        if product is None:
            raise NotFound("preset", name)
        return product

    def _servers(self) -> tuple[ServerFacts, ...]:
        with self.database.read() as session:
            return known_servers(session)

    def _thumbnail(self, product: Product) -> Path | None:
        return None if product.spec.thumbnail is None else self._picture(product.spec.thumbnail)

    def _picture(self, name: str) -> Path | None:
        file = self.folder / "thumbnails" / name
        return file if file.exists() else None

    def _value(self, product: Product, servers: tuple[ServerFacts, ...]) -> Preset:
        spec = product.spec
        missing, left_out = self._parts(product, servers)
        return Preset(
            name=product.name,
            title=spec.title,
            description=spec.description,
            identity=spec.identity,
            product=spec.product,
            version=product.version,
            stages=tuple(
                PresetStage(name=name, use=stage.use, title=stage.title)
                for name, stage in spec.stages.items()
            ),
            has_thumbnail=self._thumbnail(product) is not None,
            options=preset_options(spec, self.library),
            available=not missing,
            missing=missing,
            left_out=left_out,
        )

    def _parts(self, product: Product, servers: tuple[ServerFacts, ...]) -> tuple[Parts, Parts]:
        """What keeps a product from being made, and what it is made without."""
        known = self.known
        if known.servers != servers:
            known = self.known = Known(servers=servers)
        if product.version not in known.parts:
            missing = self._missing(product, servers)
            known.parts[product.version] = missing, () if missing else self._left_out(product, servers)
        return known.parts[product.version]

    def _missing(self, product: Product, servers: tuple[ServerFacts, ...]) -> Parts:
        try:
            require_capable_server(sample_order(product), servers, self.library.prompts)
        except MissingCapability as reason:
            part = {key: str(reason.data[key]) for key in MissingPart.model_fields}
            return (MissingPart.model_validate(part),)
        return ()

    def _left_out(self, product: Product, servers: tuple[ServerFacts, ...]) -> Parts:
        """The parts that the product does without on every server."""
        if not servers:
            return ()
        order = sample_order(product)
        first, *others = (lacks_of(order, server, self.library.prompts) for server in servers)
        return tuple(
            MissingPart(kind=lack.kind, name=OR.join(lack.wanted), server=servers[0].url, stage=lack.stage)
            for lack in first
            if lack.optional and all(lack in lacks for lacks in others)
        )


def _rank(product: Product) -> tuple[int, bool, str]:
    return PRODUCTS.index(product.spec.product), product.spec.extends is not None, product.name


def sample_order(product: Product, pose: str | None = None) -> Order:
    """The plainest order of a product: one picture of nobody in particular. pose: a drawn skeleton to follow."""
    return Order(
        preset=product.name,
        spec=product.spec,
        options=JobOptions(),
        count=1,
        seed=0,
        identities=(),
        class_noun="person",
        pose=pose,
        pose_is_skeleton=pose is not None,
    )
