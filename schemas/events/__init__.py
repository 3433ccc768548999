"""Every event of the contract."""

from schemas.events.bars import Bar, BarSoFar, Features
from schemas.events.models import (
    CommandAction,
    HoldOutScore,
    ModelAction,
    ModelCommand,
    ModelEvent,
    ModelMember,
    ModelRole,
    RetrainKind,
    SourceAction,
    SourceCommand,
)
from schemas.events.predictions import (
    ENSEMBLE,
    OLD_MODELS,
    Direction,
    HorizonPrediction,
    MemberHorizon,
    MemberPrediction,
    Outcome,
    Prediction,
    PriceRange,
    Signal,
)
from schemas.events.requests import Forecast, ForecastRequest, PriceBar
from schemas.events.scores import HorizonScore, ModelScore, Scoreboard
from schemas.events.status import CommandProgress, CommandState, ServiceState, ServiceStatus, SourceStatus
from schemas.events.ticks import ORIGIN_RANK, Origin, Tick, TickFrame

__all__ = [
    "ENSEMBLE",
    "OLD_MODELS",
    "ORIGIN_RANK",
    "Bar",
    "BarSoFar",
    "CommandAction",
    "CommandProgress",
    "CommandState",
    "Direction",
    "Features",
    "Forecast",
    "ForecastRequest",
    "HoldOutScore",
    "HorizonPrediction",
    "HorizonScore",
    "MemberHorizon",
    "MemberPrediction",
    "ModelAction",
    "ModelCommand",
    "ModelEvent",
    "ModelMember",
    "ModelRole",
    "ModelScore",
    "Origin",
    "Outcome",
    "Prediction",
    "PriceBar",
    "PriceRange",
    "RetrainKind",
    "Scoreboard",
    "ServiceState",
    "ServiceStatus",
    "Signal",
    "SourceAction",
    "SourceCommand",
    "SourceStatus",
    "Tick",
    "TickFrame",
]
