specify(unit config seek_service)
