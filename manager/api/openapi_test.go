package api

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func spec(t *testing.T) map[string]any {
	t.Helper()
	w := do(handler(filled(t)), "GET", "/api/v1/openapi.json", "")
	var s map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// at walks into nested objects.
func at(v any, path ...string) any {
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

// TestEverythingServedIsDescribed asks for what the description has, and looks in
// the description for what the contract promises.
func TestEverythingServedIsDescribed(t *testing.T) {
	s := spec(t)
	h := handler(filled(t))
	for path, methods := range at(s, "paths").(map[string]any) {
		for method := range methods.(map[string]any) {
			if w := do(h, strings.ToUpper(method), path, ""); w.Code == 404 || w.Code == 405 {
				t.Errorf("%s %s is described and not served: %d", method, path, w.Code)
			}
		}
	}
	for _, promise := range []string{
		"POST /api/v1/documents", "GET /api/v1/documents host package key at", "GET /api/v1/history host package key limit before",
		"GET /api/v1/services host state program proto at", "GET /api/v1/dependencies host of direction depth at format", "GET /api/v1/reach host of direction depth at",
		"GET /api/v1/nodes kind host q limit at", "GET /api/v1/edges kind from to limit at", "GET /api/v1/node id depth at format",
		"GET /api/v1/graph kind picture host at format", "GET /api/v1/events kind host since node limit", "GET /api/v1/status", "GET /api/v1/openapi.json",
		"GET /metrics", "GET /-/healthy", "GET /-/ready", "GET /",
	} {
		words := strings.Fields(promise)
		described := at(s, "paths", words[1], strings.ToLower(words[0]))
		var names []string
		for _, p := range at(described, "parameters").([]any) {
			if at(p, "in") == "query" {
				names = append(names, at(p, "name").(string))
			}
		}
		slices.Sort(names)
		want := words[2:]
		slices.Sort(want)
		if !slices.Equal(names, want) {
			t.Errorf("%s has parameters %v", promise, names)
		}
	}
}

// TestAnswersAreAsDescribed holds real answers against the schemas.
func TestAnswersAreAsDescribed(t *testing.T) {
	s := spec(t)
	h := handler(filled(t))
	for path, query := range map[string]string{
		"/api/v1/documents": "", "/api/v1/history": "?host=web-17", "/api/v1/services": "", "/api/v1/dependencies": "", "/api/v1/reach": "", "/api/v1/nodes": "",
		"/api/v1/edges": "", "/api/v1/node": "?id=host:web-17", "/api/v1/graph": "", "/api/v1/events": "", "/api/v1/status": "",
	} {
		w := do(h, "GET", path+query, "")
		var v any
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 {
			t.Errorf("%s: %d %v", path, w.Code, err)
			continue
		}
		if list, ok := v.([]any); ok && len(list) == 0 {
			t.Errorf("%s answers nothing to look at", path)
		}
		schema := at(s, "paths", path, "get", "responses", "200", "content", "application/json", "schema")
		for _, e := range check(s, schema, v, path) {
			t.Error(e)
		}
	}
	w := do(h, "GET", "/nothing", "")
	var v any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	for _, e := range check(s, map[string]any{"$ref": "#/components/schemas/Problem"}, v, "problem") {
		t.Error(e)
	}
}

// check is as much of JSON Schema as the description uses; it also complains of
// fields that are not described.
func check(spec map[string]any, schema, v any, where string) (errs []string) {
	fail := func(format string, args ...any) []string {
		return append(errs, where+": "+fmt.Sprintf(format, args...))
	}
	m, ok := schema.(map[string]any)
	if !ok {
		return fail("no schema")
	}
	if len(m) == 0 {
		return nil // anything
	}
	if ref, ok := m["$ref"].(string); ok {
		return check(spec, at(spec, "components", "schemas", strings.TrimPrefix(ref, "#/components/schemas/")), v, where)
	}
	if any, ok := m["anyOf"].([]any); ok {
		for _, alternative := range any {
			if errs = check(spec, alternative, v, where); errs == nil {
				return nil
			}
		}
		return errs
	}
	if types := fmt.Sprint(m["type"]); m["type"] != nil && !slices.Contains(strings.Fields(strings.Trim(types, "[]")), kindOf(v)) {
		return fail("is %s, described as %s", kindOf(v), types)
	}
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			errs = append(errs, check(spec, m["items"], e, fmt.Sprintf("%s[%d]", where, i))...)
		}
	case map[string]any:
		if m["type"] == nil {
			return nil // free form
		}
		properties, _ := m["properties"].(map[string]any)
		required, _ := m["required"].([]any)
		for _, r := range required {
			if _, there := v[r.(string)]; !there {
				errs = fail("%s is missing", r)
			}
		}
		for name, e := range v {
			sub, described := properties[name]
			if !described {
				sub, described = m["additionalProperties"]
			}
			if !described {
				errs = fail("%s is not described", name)
				continue
			}
			errs = append(errs, check(spec, sub, e, where+"."+name)...)
		}
	case string:
		if m["format"] == "date-time" && !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`).MatchString(v) {
			errs = fail("%q is no time in UTC", v)
		}
	}
	return errs
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
	}
	return "number"
}
