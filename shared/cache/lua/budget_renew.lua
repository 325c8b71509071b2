for i = 2, #ARGV, 4 do hold(ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), ARGV[i + 3], ARGV[1]) end
