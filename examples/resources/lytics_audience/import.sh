terraform import lytics_audience.vip vip
