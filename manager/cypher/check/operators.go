package check

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/types"
)

// binary checks an operator between two expressions.
func (c checker) binary(e *ast.Binary) (types.Type, error) {
	boolean := types.Of(types.Boolean)
	switch e.Op {
	case "AND", "OR", "XOR":
		if err := c.boolean(e.L, e.Op); err != nil {
			return boolean, err
		}
		return boolean, c.boolean(e.R, e.Op)
	case "IN":
		if _, err := c.value(e.L); err != nil {
			return boolean, err
		}
		_, err := c.wants(e.R, "IN", types.List)
		return boolean, err
	case "STARTS WITH", "ENDS WITH", "CONTAINS", "=~": // of what is no text they are null
		if _, err := c.value(e.L); err != nil {
			return boolean, err
		}
		_, err := c.value(e.R)
		return boolean, err
	}
	return c.arithmetic(e)
}

// operands of an arithmetic operator.
func operands(op string) types.Kinds {
	switch op {
	case "+":
		return types.Anything
	case "-":
		return types.Number | types.Temporal
	case "*", "/":
		return types.Number | types.Duration
	}
	return types.Number
}

func (c checker) arithmetic(e *ast.Binary) (types.Type, error) {
	l, err := c.wants(e.L, e.Op, operands(e.Op))
	if err != nil {
		return l, err
	}
	r, err := c.wants(e.R, e.Op, operands(e.Op))
	if err != nil {
		return r, err
	}
	if e.Op == "^" {
		return types.Of(types.Float), nil
	}
	return arithmeticType(e.Op, l, r), nil
}

func arithmeticType(op string, l, r types.Type) types.Type {
	switch {
	case l.Only(types.Integer) && r.Only(types.Integer):
		return types.Of(types.Integer)
	case l.Only(types.Number) && r.Only(types.Number):
		return types.Of(types.Number)
	case op == "+" && (l.Only(types.List) || r.Only(types.List)):
		return listSum(l, r)
	case op == "+" && (l.Only(types.String) || r.Only(types.String)):
		return types.Of(types.String | types.List)
	}
	return types.Any()
}

// listSum is the type of lists put together, or of a list with something added.
func listSum(l, r types.Type) types.Type {
	element := func(t types.Type) types.Type {
		if t.Only(types.List) {
			return t.Element()
		}
		if t.Kinds&types.List != 0 {
			return types.Any()
		}
		return t
	}
	return types.ListOf(element(l).Or(element(r)))
}
