"""How is a model fitted so that its numbers are exact, its errors honest and its price small?"""
