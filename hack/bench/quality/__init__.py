"""How much the planner sells, beside the optimum and beside other orders."""
