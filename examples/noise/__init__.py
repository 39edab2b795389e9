"""An example of a fourth module: is the fine noise of the face that of its surroundings?"""
