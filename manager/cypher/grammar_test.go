package cypher

import (
	"fmt"
	"strings"
	"testing"
)

// maker makes queries: every byte is a choice, and without bytes the first one.
type maker struct {
	choices []byte
	depth   int
	vars    []string
	nodes   []string // of vars those that are nodes
	made    int
}

func (m *maker) pick(n int) int {
	if len(m.choices) == 0 || m.depth > 6 {
		return 0
	}
	c := int(m.choices[0])
	m.choices = m.choices[1:]
	return c % n
}

func (m *maker) one(list ...string) string { return list[m.pick(len(list))] }

func (m *maker) fresh() string {
	m.made++
	return fmt.Sprintf("v%d", m.made)
}

func (m *maker) query() string {
	var clauses []string
	for range m.pick(4) + 1 {
		clauses = append(clauses, m.clause())
	}
	last := "RETURN " + m.items(false)
	return strings.Join(append(clauses, last+m.tail()), " ")
}

func (m *maker) clause() string {
	switch m.pick(5) {
	case 0, 1:
		s := m.one("MATCH ", "OPTIONAL MATCH ") + m.pattern()
		if m.pick(2) == 1 {
			s += ", " + m.pattern()
		}
		if m.pick(2) == 1 {
			s += " WHERE " + m.cond()
		}
		return s
	case 2:
		list := m.soft()
		v := m.fresh()
		m.vars = append(m.vars, v)
		return "UNWIND " + list + " AS " + v
	}
	return "WITH " + m.one("", "DISTINCT ") + m.items(true) + m.tail()
}

// items are columns; behind WITH they are the variables from here on.
func (m *maker) items(with bool) string {
	var items, names []string
	for range m.pick(3) + 1 {
		name := m.fresh()
		e := m.expr()
		if m.pick(4) == 3 {
			e = "coalesce(" + e + ")"
			e = m.one("count(*)", "collect("+e+")", "sum("+e+")", "max("+e+")", "percentileDisc("+e+", 0.5)", "1 + count(DISTINCT "+e+")")
		}
		items, names = append(items, e+" AS "+name), append(names, name)
	}
	if with {
		m.vars, m.nodes = names, nil
	}
	if m.pick(5) == 4 && with {
		return "*, " + strings.Join(items, ", ")
	}
	return strings.Join(items, ", ")
}

func (m *maker) tail() string {
	s := ""
	if m.pick(3) == 1 {
		s += " ORDER BY " + m.variable() + m.one("", " DESC")
	}
	if m.pick(3) == 1 {
		s += m.one(" SKIP 1", " LIMIT 3", " SKIP 0 LIMIT 2")
	}
	return s
}

func (m *maker) variable() string {
	if len(m.vars) == 0 {
		return "null"
	}
	return m.vars[m.pick(len(m.vars))]
}

func (m *maker) node() string {
	name := ""
	switch m.pick(3) {
	case 1:
		name = m.fresh()
		m.vars, m.nodes = append(m.vars, name), append(m.nodes, name)
	case 2:
		if len(m.nodes) > 0 {
			name = m.nodes[m.pick(len(m.nodes))]
		}
	}
	return "(" + name + m.one("", ":Host", ":Service", ":Process", ":Host:Service") + m.one("", " {name: 'h0'}", " {port: $p}") + ")"
}

func (m *maker) pattern() string { return m.steps(m.pick(3)) }

func (m *maker) steps(n int) string {
	s := m.node()
	for range n {
		name := ""
		if m.pick(3) == 1 {
			name = m.fresh()
			m.vars = append(m.vars, name)
		}
		rel := "[" + name + m.one("", ":RUNS", ":RUNS|DEPENDS_ON", ":NONE") + m.one("", "*", "*0..2", "*..3") + "]"
		s += m.one("-"+rel+"->", "<-"+rel+"-", "-"+rel+"-") + m.node()
	}
	if m.pick(4) == 1 {
		name := m.fresh()
		m.vars = append(m.vars, name)
		return name + " = " + s
	}
	return s
}

// soft is an expression of which nothing is known before it runs.
func (m *maker) soft() string { return "coalesce(" + m.expr() + ")" }

// cond is a condition.
func (m *maker) cond() string {
	return "(" + m.soft() + m.one(" = ", " <> ", " < ", " IN ", " IS NULL OR ") + m.soft() + ")"
}

func (m *maker) expr() string {
	m.depth++
	defer func() { m.depth-- }()
	switch m.pick(16) {
	case 0:
		return m.variable()
	case 1:
		return m.one("0", "1", "-1", "2.5", "'a'", "true", "null", "$p", "9223372036854775807", "''", "[]", "{}")
	case 2:
		return "coalesce(" + m.variable() + ")." + m.one("name", "port", "rack", "year", "none")
	case 3, 4:
		return "(" + m.soft() + m.one(" + ", " - ", " * ", " / ", " % ", " ^ ", " = ", " <> ", " < ", " >= ", " AND ", " OR ", " XOR ", " IN ", " CONTAINS ", " STARTS WITH ") + m.soft() + ")"
	case 5:
		return m.one("NOT ", "-", "+") + "(" + m.soft() + ")"
	case 6:
		return "(" + m.soft() + m.one(" IS NULL", " IS NOT NULL") + ")"
	case 7:
		return "[" + m.soft() + ", " + m.soft() + "]"
	case 8:
		return "{a: " + m.soft() + ", b: " + m.soft() + "}"
	case 9:
		return "(" + m.soft() + ")[" + m.one("", m.soft()+"..") + m.soft() + "]"
	case 10:
		return m.one("size", "head", "last", "tail", "reverse", "keys", "labels", "type", "id", "toString", "toInteger", "toFloat", "abs", "sign", "nodes", "length", "properties", "date", "duration", "datetime", "toLower") + "(" + m.soft() + ")"
	case 11:
		return m.one("range", "coalesce", "split", "left", "substring", "duration.between", "round") + "(" + m.soft() + ", " + m.soft() + ")"
	case 12:
		return "CASE " + m.soft() + " WHEN " + m.soft() + " THEN " + m.soft() + " END"
	}
	return m.local()
}

// local makes expressions with variables of their own.
func (m *maker) local() string {
	list, before, nodes := m.soft(), m.vars, m.nodes
	v := m.fresh()
	m.vars = append(append([]string{}, before...), v)
	defer func() { m.vars, m.nodes = before, nodes }()
	switch m.pick(4) {
	case 0:
		return "[" + v + " IN " + list + " WHERE " + m.cond() + " | " + m.expr() + "]"
	case 1:
		return m.one("all", "any", "none", "single") + "(" + v + " IN " + list + " WHERE " + m.cond() + ")"
	case 2:
		return "reduce(acc = " + list + ", " + v + " IN range(0, 99) | " + m.one("acc + acc", "[acc, acc]", m.expr()) + ")"
	}
	m.vars = before
	if m.pick(2) == 0 {
		return "EXISTS { " + m.pattern() + " WHERE " + m.cond() + " }"
	}
	return "[" + m.steps(1+m.pick(2)) + " | " + m.expr() + "]"
}

// TestGrammar makes sure that the maker makes queries that run and not mistakes
// alone, or else fuzzing by it would prove little.
func TestGrammar(t *testing.T) {
	ran := 0
	for i := range 500 {
		choices := make([]byte, 80)
		for j := range choices {
			choices[j] = byte(i*31 + j*j*17 + i*j)
		}
		q := (&maker{choices: choices}).query()
		if _, err := Compile(q); err == nil {
			ran++
		}
		hold(t, q, map[string]any{"p": int64(7)})
	}
	if ran < 100 {
		t.Errorf("only %d of 500 compile", ran)
	}
}
