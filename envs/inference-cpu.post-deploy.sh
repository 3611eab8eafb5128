#!/usr/bin/env bash
# pip cannot be told to leave these out (see cpu-overrides.txt).
set -euo pipefail
pip uninstall --yes torchaudio torchcodec torchvision triton
