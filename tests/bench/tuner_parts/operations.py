"""The floating-point operations that a training must do at least, however it is done.

Counted are the products of matrices alone: those of the layers, of attention over what each token may see, and of the
output head where something is predicted. In the last layer only rows that something is predicted from go on. Nothing that
is worked out twice counts twice, so a share of a peak that is made of this is of useful work.
"""

# The matrices that every row goes through in each layer: what it tells others comes of them.
ENTERING = ("q", "k", "v")


def of_training(config, records, approach, rank):
    """All operations of an epoch over the records, each with its `tokens` and the first that is predicted."""
    return 2 * sum(multiplications(config, record, approach, rank) for record in records)


def multiplications(config, record, approach, rank):
    rows = len(record["tokens"])
    predicted = rows - record["learned_from"]
    layers = config["num_hidden_layers"]
    queries = config["num_attention_heads"] * config["head_dim"]
    # Scores and what they weigh, over everything up to each token.
    attended = layers * queries * rows * (rows + 1)
    forward = attended + predicted * config["hidden_size"] * config["vocab_size"]
    narrow, lowest = 0, 0
    for layer in range(layers):
        for name, (outputs, inputs) in matrices(config).items():
            onward = rows if layer + 1 < layers or name in ENTERING else predicted
            forward += onward * outputs * inputs
            narrow += onward * 2 * rank * (outputs + inputs)
            lowest += onward * outputs * inputs if layer == 0 and name in ENTERING else 0
    if approach == "full":
        # On the way back come a gradient of the input and one of the weights, each as much as the way there.
        return 3 * forward
    # Weights have none but through their adapters; attention has two inputs, and below the lowest adapters nothing learns.
    return 2 * forward + attended + narrow - lowest


def matrices(config):
    hidden, gated = config["hidden_size"], config["intermediate_size"]
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    return {
        "q": (queries, hidden),
        "k": (keys, hidden),
        "v": (keys, hidden),
        "o": (hidden, queries),
        "gate": (gated, hidden),
        "up": (gated, hidden),
        "down": (hidden, gated),
    }
