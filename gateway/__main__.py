"""`python -m gateway`."""

from gateway.service import SERVICE, run_gateway
from gateway.settings import GatewaySettings
from schemas.service import run_service

if __name__ == "__main__":
    run_service(SERVICE, GatewaySettings, run_gateway)
