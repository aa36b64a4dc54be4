package view

import (
	"bytes"
	"encoding/json"
	"strings"

	"cassini/cmd/cassini/internal/output"
)

// Rows lays out the answer to a query: columns in the order given, as they were
// named.
func Rows(columns []string, rows [][]any) *output.Table {
	table := &output.Table{}
	for i, name := range columns {
		table.Columns = append(table.Columns, output.Column{Title: output.Clean(name), Flex: true, Right: numeric(rows, i)})
	}
	for _, row := range rows {
		table.Add(output.Plain, output.Text(RowText(row)...)...)
	}
	return table
}

// numeric says whether a column has numbers and nothing else.
func numeric(rows [][]any, i int) bool {
	some := false
	for _, row := range rows {
		switch row[i].(type) {
		case nil:
		case json.Number:
			some = true
		default:
			return false
		}
	}
	return some
}

// RowText writes the values of one row: texts as they are, nodes and relationships
// by their identifiers, paths as their nodes in order, what is made of others as
// JSON, and null as nothing.
func RowText(row []any) []string {
	texts := make([]string, len(row))
	for i, v := range row {
		texts[i] = cell(v)
	}
	return texts
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any:
		if id, ok := entity(v); ok {
			return id
		}
		if nodes, ok := v["nodes"].([]any); ok && v["relationships"] != nil && len(v) == 2 {
			return path(nodes)
		}
	case []any:
		if text, ok := entities(v); ok {
			return text
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // it came from JSON
	return strings.TrimSpace(b.String())
}

// entity is the identifier of a node or a relationship.
func entity(m map[string]any) (string, bool) {
	id, ok := m["id"].(string)
	_, properties := m["properties"].(map[string]any)
	return id, ok && properties && (m["labels"] != nil || m["type"] != nil)
}

func path(nodes []any) string {
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		m, _ := n.(map[string]any)
		ids[i], _ = m["id"].(string)
	}
	return strings.Join(ids, " - ")
}

// entities writes a list of nothing but nodes and relationships.
func entities(list []any) (string, bool) {
	ids := make([]string, len(list))
	for i, e := range list {
		m, _ := e.(map[string]any)
		id, ok := entity(m)
		if !ok {
			return "", false
		}
		ids[i] = id
	}
	return "[" + strings.Join(ids, ", ") + "]", len(list) > 0
}
