package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
)

const formatCSV = "csv"

func newQuery(sys *system) *cobra.Command {
	params := paramFlag{}
	cmd := &cobra.Command{
		Use:   "query QUERY",
		Short: "Ask the graph in openCypher",
		Long: "Ask the graph in openCypher, of which everything that reads is understood. QUERY\n" +
			"'-' reads the query from standard input. Kinds of nodes are labels, kinds of edges\n" +
			"are types, attributes are properties. EXPLAIN before a query shows how it would run.",
		Example: "  cassini query 'MATCH (h:Host)-[:runs]->(s:Service) RETURN h.name, s.port ORDER BY s.port'\n" +
			"  cassini query 'MATCH (s:Service {port: $port})<-[:depends_on]-(c) RETURN c.id' --param port=443 -o csv",
		Args: oneArg,
	}
	cmd.Flags().Var(params, "param", "a parameter `name=value`, the value in JSON or else text; may be repeated")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON, formatCSV}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 0 {
			return usagef("want a query, such as 'MATCH (h:Host) RETURN h.name'")
		}
		text := args[0]
		if text == "-" {
			raw, err := io.ReadAll(cmd.InOrStdin())
			if err != nil {
				return fmt.Errorf("read query: %w", err)
			}
			text = string(raw)
		}
		return a.query(ctx, c, client.Question{Query: text, Params: params, At: pointer(at.Time)})
	})
	return cmd
}

func pointer(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// query asks and shows the answer. Where a query is wrong, its line is shown with
// a mark under the place.
func (a *asker) query(ctx context.Context, c *client.Client, q client.Question) error {
	answer, err := c.Ask(ctx, q)
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Line > 0 {
		return fmt.Errorf("%w%s", err, marked(q.Query, p.Line, p.Column))
	}
	if err != nil {
		return err
	}
	for _, note := range answer.Notes {
		fmt.Fprintln(a.stderr, "note:", output.Clean(note))
	}
	switch a.format.value {
	case formatJSON:
		return output.JSON(a.stdout, struct {
			Columns []string `json:"columns"`
			Rows    [][]any  `json:"rows"`
		}{answer.Columns, answer.Rows})
	case formatCSV:
		return writeCSV(a.stdout, answer)
	}
	return a.table(view.Rows(answer.Columns, answer.Rows), "no rows")
}

// marked is a line of a query with a mark under a column.
func marked(query string, line, column int) string {
	lines := strings.Split(query, "\n")
	if line > len(lines) {
		return ""
	}
	text := []rune(lines[line-1])
	before := string(text[:min(column-1, len(text))])
	blank := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return "\n  " + string(text) + "\n  " + blank + "^"
}

func writeCSV(w io.Writer, answer client.Rows) error {
	out := csv.NewWriter(w)
	if err := out.Write(answer.Columns); err != nil {
		return err
	}
	for _, row := range answer.Rows {
		texts := view.RowText(row)
		for i := range texts {
			texts[i] = output.Clean(texts[i])
		}
		if err := out.Write(texts); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// paramFlag is parameters by name.
type paramFlag map[string]any

func (f paramFlag) String() string { return "" }

func (f paramFlag) Type() string { return "name=value" }

func (f paramFlag) Set(s string) error {
	name, text, ok := strings.Cut(s, "=")
	if name = strings.TrimPrefix(strings.TrimSpace(name), "$"); !ok || name == "" {
		return errors.New("want NAME=VALUE")
	}
	f[name] = paramValue(text)
	return nil
}

// paramValue is JSON, or a text.
func paramValue(text string) any {
	var v any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err == nil && !decoder.More() {
		return v
	}
	return text
}
