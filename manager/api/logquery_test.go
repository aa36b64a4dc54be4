package api

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// logOf asks the log; pairs are names and values of parameters.
func logOf(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "/api/v1/log?" + q.Encode()
}

func TestLog(t *testing.T) {
	h := handler(filled(t))
	for target, want := range map[string]string{
		logOf("where", `package == "dependencies"`, "group_by", "host", "aggregate", "count, sum(connections), max(body.failed)"): `"rows":[["web-17",2,3,2]],"more":false,"scanned":4,"matched":2`,
		logOf("columns", "package, port", "limit", "2"):                                             `"columns":["package","port"],"rows":[["identity",null],["dependencies",9]],"more":true`,
		logOf("columns", "package", "where", "received > timestamp('2026-11-20T19:26:03.000001Z')"): `"rows":[["identity"],["dependencies"]]`,
		logOf("from", "2026-11-20T19:26:03.000003Z", "aggregate", "count"):                          `"rows":[[1]]`,
		logOf("to", "2026-11-20T19:26:03Z", "aggregate", "count"):                                   `"rows":[[1]]`,
		logOf("of", "events", "group_by", "kind", "where", `kind.startsWith("dep")`):                `"rows":[["dependency.failing",1],["dependency.new",2]]`,
		logOf("of", "events", "from", "2026-11-20T19:26:03.000002Z", "aggregate", "count"):          `"rows":[[2]]`,
	} {
		w := do(h, "GET", target, "")
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", target, w.Code, w.Body, want)
		}
	}
}

func TestLogProblems(t *testing.T) {
	h := handler(filled(t))
	wantProblem(t, do(h, "GET", logOf("where", "pakage == 'x'"), ""), 400, `is "package" meant?`)
	wantProblem(t, do(h, "GET", logOf("of", "rings"), ""), 400, "want one of documents, events")
	wantProblem(t, do(h, "GET", logOf("from", "2026-11-20T19:26:03Z", "to", "2026-11-20T19:26:02Z"), ""), 400, `"to" is before "from"`)
	w := do(h, "GET", logOf("aggregate", "count, avg(hots)"), "")
	var p queryProblem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Code != "" || p.Status != 0 {
		// hots is a field: the question is right, and no document has it
		t.Errorf("got %+v, %v", p, err)
	}
	w = do(h, "GET", logOf("group_by", "host,\nhots(1)"), "")
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Code != "group_by" || p.Line != 2 || p.Column != 5 || p.Hint == "" {
		t.Errorf("got %+v, %v", p, err)
	}
}

// FuzzLog wants an answer of ours to whatever is asked.
func FuzzLog(f *testing.F) {
	f.Add("package == 'x'", "host", "avg(rtt)", "")
	f.Add("body.a.b[0] > 1.5", "", "", "host, body")
	f.Fuzz(func(t *testing.T, where, group, aggregate, columns string) {
		w := do(handler(newBackend()), "GET", logOf("where", where, "group_by", group, "aggregate", aggregate, "columns", columns), "")
		if w.Code != 200 && w.Code != 400 && w.Code != 422 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q, %q, %q, %q: %d %s", where, group, aggregate, columns, w.Code, w.Body)
		}
	})
}
