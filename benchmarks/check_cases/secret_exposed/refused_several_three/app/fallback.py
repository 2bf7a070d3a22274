WORD = "h4ndwerk-Zeit!"
