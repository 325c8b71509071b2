return redis.call('get', KEYS[2]) == ARGV[1] and redis.call('pexpire', KEYS[2], ARGV[2]) or 0
