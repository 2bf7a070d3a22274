def tree_balance(node):
    balance = node.left_height - node.right_height
    return balance * 0.5 + node.cost
