drop(ARGV[1])
