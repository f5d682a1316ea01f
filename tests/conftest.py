from hypothesis import settings

settings.register_profile("headmotion", deadline=None)
settings.load_profile("headmotion")
