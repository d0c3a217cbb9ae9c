"""The extension EasyPhoto as far as the engine has it: teaching a person, by the trainer in a child process.

Source: the A1111 contract notes, easyphoto.
"""
