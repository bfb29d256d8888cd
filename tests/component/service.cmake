specify(component supervision seek_service)
