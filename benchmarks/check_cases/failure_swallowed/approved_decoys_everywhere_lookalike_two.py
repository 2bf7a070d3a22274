def parse(lines):
    counted = 0
    for line in lines:
        try:
            value = int(line)
        except ValueError:
            continue
        counted += value
    return counted
