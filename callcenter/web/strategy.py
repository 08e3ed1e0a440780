from callcenter.web.edge import blueprint

bp = blueprint("strategy")
