package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/peterh/liner"

	"cassini/cmd/cassini/internal/client"
	"cassini/manager/cypher"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/value"
	"cassini/manager/cypher/world"
)

// queryAPI answers queries about the fixture's graph, as the API does.
func queryAPI(t *testing.T) (url string, last func() client.Question) {
	t.Helper()
	var asked client.Question
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		decoder := json.NewDecoder(r.Body)
		decoder.UseNumber()
		if err := decoder.Decode(&asked); err != nil {
			t.Error(err)
		}
		q, err := cypher.Compile(asked.Query)
		var result cypher.Result
		if err == nil {
			result, err = q.Run(r.Context(), world.Of(fixtureGraph()), cypher.Options{Params: asked.Params})
		}
		if e, ok := errors.AsType[*issue.Error](err); ok {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusBadRequest)
			json.NewEncoder(w).Encode(map[string]any{"detail": e.Error(), "line": e.At.Line, "column": e.At.Column})
			return
		}
		rows := [][]any{}
		for _, row := range result.Rows {
			var out []any
			for _, v := range row {
				out = append(out, value.JSON(v))
			}
			rows = append(rows, out)
		}
		json.NewEncoder(w).Encode(map[string]any{"columns": result.Columns, "rows": rows, "took_ms": 1, "notes": result.Notes})
	}))
	t.Cleanup(server.Close)
	return server.URL, func() client.Question { return asked }
}

func TestQuery(t *testing.T) {
	api, _ := queryAPI(t)
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"table":  {[]string{"MATCH (s:Service) RETURN s.id AS id, s.port AS port, 'x' AS x"}, "id                         port  x\nservice:web-17/nginx:8080  8080  x\n"},
		"node":   {[]string{"MATCH p = (h:host)-[r:runs]->(s) RETURN p, r, [h] AS l, {a: 1} AS m, null AS n"}, "host:web-17 - service:web-17/nginx:8080  "},
		"json":   {[]string{"RETURN 9007199254740993 AS n, $p AS p", "--param", "p=[1, \"a\"]", "-o", "json"}, "9007199254740993,"},
		"csv":    {[]string{"UNWIND ['a,b', 'c\u001b'] AS x RETURN x, 1.5 AS f", "-o", "csv"}, "x,f\n\"a,b\",1.5\nc\\x1b,1.5\n"},
		"params": {[]string{"RETURN $a + $b AS s", "--param", "a=1", "--param", "$b=two"}, "s\n1two\n"},
	} {
		got := cassini(t, map[string]string{"CASSINI_API": api}, append([]string{"query"}, tc.args...)...)
		if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, tc.want) {
			t.Errorf("%s: exit code %d, stderr %q, stdout %q, want %q", name, got.code, got.stderr, got.stdout, tc.want)
		}
	}
}

// TestQueryNotes wants to be told beside the answer, on the other stream.
func TestQueryNotes(t *testing.T) {
	api, _ := queryAPI(t)
	got := cassini(t, map[string]string{"CASSINI_API": api}, "query", "MATCH (h:Hots) RETURN h.id AS id", "-o", "csv")
	if got.code != 0 || got.stdout != "id\n" || !strings.HasPrefix(got.stderr, "note: no node has the label Hots; there are ") {
		t.Errorf("exit code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
}

func TestQueryWrongly(t *testing.T) {
	api, last := queryAPI(t)
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"none":   {nil, 2, "cassini query: want a query, such as"},
		"two":    {[]string{"RETURN 1", "x"}, 2, `unexpected argument "x"`},
		"param":  {[]string{"RETURN 1", "--param", "a"}, 2, "want NAME=VALUE"},
		"syntax": {[]string{"MATCH (é)\nRETRUN é"}, 1, "cassini query: line 2, column 1: unexpected \"RETRUN\""},
		"mark":   {[]string{"MATCH (é)\n\tRETURN x"}, 1, "\n  \tRETURN x\n  \t       ^"},
	} {
		got := cassini(t, map[string]string{"CASSINI_API": api}, append([]string{"query"}, tc.args...)...)
		stderr := strings.ReplaceAll(got.stderr, `\t`, "\t")
		if got.code != tc.code || got.stdout != "" || !strings.Contains(stderr, tc.want) {
			t.Errorf("%s: exit code %d, stderr %q, want %q", name, got.code, stderr, tc.want)
		}
	}
	cassini(t, nil, "query", "RETURN 1 AS x", "--api", api, "--at", "1h")
	if at := last().At; at == nil || at.Format("15:04") != "11:00" {
		t.Errorf("asked at %v", at)
	}
}

func TestQueryFromInput(t *testing.T) {
	api, _ := queryAPI(t)
	sys, stdout, _ := sandbox(nil, nil)
	root := newRoot(sys)
	root.SetIn(strings.NewReader("RETURN 1 + 1 AS two\n"))
	root.SetArgs([]string{"query", "-", "--api", api, "--config", "/dev/null"})
	if err := root.Execute(); err != nil || stdout.String() != "two\n  2\n" {
		t.Errorf("got %q, %v", stdout.String(), err)
	}
}

// script is lines that somebody types.
type script struct {
	lines   []string
	history []string
}

func (s *script) Prompt(string) (string, error) {
	if len(s.lines) == 0 {
		return "", io.EOF
	}
	line := s.lines[0]
	s.lines = s.lines[1:]
	if line == "^C" {
		return "", liner.ErrPromptAborted
	}
	return line, nil
}

func (s *script) AppendHistory(line string) { s.history = append(s.history, line) }

func TestShell(t *testing.T) {
	api, last := queryAPI(t)
	sys, stdout, stderr := sandbox(nil, nil)
	c, err := client.New(api, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	a := &asker{system: sys, format: &enum{value: formatTable, allowed: []string{formatTable, formatJSON, formatCSV}}}
	s := &session{asker: a, client: c, at: &atFlag{now: sys.now}, params: paramFlag{}}
	lines := &script{lines: []string{
		"RETURN 1 AS one", "MATCH (h:host)", "RETURN h.id AS id", "", "RETRUN 1", ":param x=[1, 2]", ":param y two words", ":params",
		"RETURN $x[1] AS second, $y AS y", ":format csv", "^C", "RETURN 'a' AS a", ":at 1h", "RETURN 2 AS two", ":at never", ":nonsense", ":help",
		"RETURN 3 +", "4 AS n;", ":quit", "RETURN 'not asked'",
	}}
	if err := s.run(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one\n  1\n", "id\nhost:web-17\n", "x = [1,2]\n", "y = \"two words\"\n", "second  y\n     2  two words\n", "a\na\n", "two\n2\n", ":at TIME", "n\n7\n"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is not in %s", want, stdout)
		}
	}
	for _, want := range []string{"unexpected \"RETRUN\"", "\n  RETRUN 1\n  ^\n", "want a time such as", "unknown command :nonsense"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is not in %s", want, stderr)
		}
	}
	if at := last().At; at == nil {
		t.Error("the last question was not about a past moment")
	}
	if n := len(lines.history); n != 16 || lines.history[1] != "MATCH (h:host) RETURN h.id AS id" || len(lines.lines) != 1 {
		t.Errorf("history %d %q", n, lines.history)
	}
	if names := s.names(t.Context()); !bytes.Contains([]byte(strings.Join(names.Labels, " ")), []byte("host")) || len(names.Types) == 0 || len(names.Properties) == 0 {
		t.Errorf("names to complete: %+v", names)
	}
}
