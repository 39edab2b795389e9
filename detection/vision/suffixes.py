"""Which files of a folder are taken for videos; a file that is named is opened whatever it is called."""

from __future__ import annotations

ENDINGS = (
    "3g2 3gp asf avi dv f4v flv gif h264 h265 hevc ivf m1v m2ts m2v m4v mjpeg mjpg mkv mov mp4 mpe mpeg mpg mts mxf "
    "obu ogm ogv qt rm rmvb ts vob webm wmv"
)
VIDEO_SUFFIXES = frozenset(f".{ending}" for ending in ENDINGS.split())
