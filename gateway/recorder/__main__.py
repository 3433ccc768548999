"""`python -m gateway.recorder`."""

from gateway.recorder.service import SERVICE, run
from gateway.recorder.settings import RecorderSettings
from schemas.service import run_service

if __name__ == "__main__":
    run_service(SERVICE, RecorderSettings, run)
