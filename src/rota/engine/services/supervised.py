"""One service under supervision: its definition, what is wanted of it, and its instances as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rota.engine.services.ending import asked_for
from rota.engine.services.instance import Instance
from rota.engine.services.plan import wanted_instances
from rota.model.service import Rest

if TYPE_CHECKING:
    from datetime import datetime

    from rota.model.run import RunId
    from rota.model.service import InstanceState, Service, Wanted


@dataclass(slots=True)
class Supervised:
    """What the supervisor knows of a service. It changes with everything that happens."""

    service: Service
    wanted: Wanted
    instances: list[Instance] = field(default_factory=list)
    told: dict[int, tuple[InstanceState, datetime]] = field(default_factory=dict)  #: and since when
    unwritten: set[int] = field(default_factory=set)  #: instances of which something is to be remembered
    look_at: float = 0.0  #: when there is something to do, by the monotonic clock
    removed: bool = False  #: there is no such service any more; it is forgotten when its lives are over

    @property
    def name(self) -> str:
        """The service's."""
        return self.service.name

    @property
    def lives(self) -> frozenset[RunId]:
        """The lives that it has."""
        return frozenset(each.life.run_id for each in self.instances if each.life is not None)

    @property
    def scale(self) -> int:
        """How many instances are to live, when it is running."""
        return self.service.instances if self.wanted.scale is None else self.wanted.scale

    def is_wanted(self, index: int) -> bool:
        """Whether the instance of this index is to live."""
        return index < wanted_instances(self.service, self.wanted)

    def instance(self, index: int) -> Instance:
        """The instance of this index; it and those before it are made where there are none."""
        while len(self.instances) <= index:
            self.instances.append(Instance(index=len(self.instances)))
        return self.instances[index]

    def put(self, instance: Instance, *, remember: bool = False) -> None:
        """The instance is so from now on; `remember`: also for the next server."""
        self.instances[instance.index] = instance
        if remember:
            self.unwritten.add(instance.index)

    @property
    def is_set_back(self) -> bool:
        """Whether an instance that is to live has failed, or waits for its next try after a failure."""
        return any(_is_set_back(each) for each in self.instances if self.is_wanted(each.index))

    def try_again(self, now: float) -> None:
        """Have those tried at once that have failed, or wait for their next try."""
        for each in self.instances:
            if _is_set_back(each):
                self.put(asked_for(each, now), remember=True)

    def fit(self) -> None:
        """Have as many instances as there are to be, and those beyond that still live."""
        self.instance(self.scale - 1)
        while len(self.instances) > self.scale and self.instances[-1].life is None:
            self.told.pop(self.instances.pop().index, None)


def _is_set_back(instance: Instance) -> bool:
    if instance.life is not None or instance.at_rest is Rest.DONE:
        return False
    return instance.at_rest is Rest.GAVE_UP or instance.failures > 0
