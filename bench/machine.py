"""What figures were measured on, and how they are judged."""

import os
import platform
from pathlib import Path

import cryptography
from cryptography.hazmat.backends.openssl import backend


def machine() -> str:
    """Return what the figures were measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "")
    return (
        f"{model or platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, cryptography {cryptography.__version__}, "
        f"{backend.openssl_version_text()}, load {os.getloadavg()[0]:.1f}"
    )


def figure(
    name: str, value: float, unit: str, *, most: float | None = None, least: float | None = None
) -> bool:
    """Print a line of a table with its target, and return whether it holds."""
    holds = (most is None or value <= most) and (least is None or value >= least)
    target = f"at most {most:,g}" if most is not None else f"at least {least:,g}" if least is not None else ""
    judged = f"   {target}: {'holds' if holds else 'MISSED'}" if target else ""
    shown = f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:,.2f}"
    print(f"    {name:<48}{shown:>10} {unit:<6}{judged}".rstrip(), flush=True)
    return holds
