"""Stands in for kohya's sdxl_train_network.py, which is train_network.py with SDXL's arguments."""

import importlib

if __name__ == "__main__":
    importlib.import_module("train_network").main(sdxl=True)
