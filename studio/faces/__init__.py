"""Faces in photos: finding them, measuring them, telling people apart. Heavy libraries load where they are used.

Other packages call :class:`studio.faces.process.FaceProcess`, which does the work in a child process of its own.
"""
