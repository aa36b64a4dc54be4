package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"cassini/model/delivery"
)

type object = map[string]any

// openAPI describes what is served in OpenAPI 3.1.
func (s *server) openAPI() []byte {
	schemas := schemas{}
	schemas.of(Problem{})
	paths := object{}
	for _, r := range s.routes {
		path, ok := paths[r.path].(object)
		if !ok {
			path = object{}
			paths[r.path] = path
		}
		path[lower(r.method)] = r.describe(schemas)
	}
	spec := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Cassini", "version": s.Version,
			"description": "Services and dependencies, heard from the kernel. Times are RFC 3339 in UTC. Errors are RFC 9457 problem details.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers":    []object{{"url": "/"}},
		"paths":      paths,
		"components": object{"schemas": schemas},
	}
	text, err := json.MarshalIndent(spec, "", "  ")
	if err != nil { // maps of strings: cannot be
		panic(fmt.Sprintf("encode OpenAPI: %v", err))
	}
	return append(text, '\n')
}

func lower(method string) string {
	if method == http.MethodPost {
		return "post"
	}
	return "get"
}

func (r route) describe(schemas schemas) object {
	d := object{"summary": r.summary, "operationId": lower(r.method) + operation(r.path)}
	parameters := []object{}
	for _, p := range r.params {
		parameters = append(parameters, p.describe())
	}
	if r.intake {
		parameters = append(parameters, object{"name": delivery.Header, "in": "header", "schema": object{"type": "string"},
			"description": "the version of the protocol that the agent speaks; 1 without it. Each answer has the range that is taken, such as 1-2"},
			object{"name": "Content-Encoding", "in": "header", "schema": object{"type": "string", "enum": []string{delivery.Encoding}},
				"description": "how the body is compressed, if it is"})
		parameters = append(parameters, object{"name": "Cassini-Agent-Url", "in": "header", "schema": object{"type": "string", "format": "uri"},
			"description": "where the agent listens, to be asked to bring counters up to date: http://127.0.0.1:PORT"})
	}
	if r.body != nil {
		d["requestBody"] = object{"required": true, "content": object{mediaJSON: object{"schema": schemas.of(r.body)}}}
	}
	if r.bodyMedia != nil {
		content := object{}
		for _, m := range r.bodyMedia {
			content[m] = object{"schema": object{"type": map[bool]string{true: "object", false: "string"}[m == mediaJSON]}}
		}
		d["requestBody"] = object{"required": true, "content": content}
	}
	d["parameters"] = parameters
	content := object{}
	for _, m := range r.medias() {
		content[m] = object{"schema": object{"type": "string"}}
		if m == mediaJSON {
			content[m] = object{"schema": object{"type": "object"}}
			if r.answer != nil {
				content[m] = object{"schema": schemas.of(r.answer)}
			}
		}
	}
	responses := object{"200": object{"description": "the answer", "content": content}}
	if r.answer == nil && r.media == nil && r.method == http.MethodPost {
		responses = object{"204": object{"description": "done"}}
	}
	for _, status := range r.statuses {
		responses[strconv.Itoa(status)] = object{"description": http.StatusText(status),
			"content": object{"application/problem+json": object{"schema": schemas.of(Problem{})}}}
	}
	d["responses"] = responses
	return d
}

func (r route) medias() []string {
	if r.media == nil {
		return []string{mediaJSON}
	}
	return r.media
}

// operation makes "Apiv1Documents" of a path.
func operation(path string) string {
	name, up := "", true
	for _, c := range path {
		switch {
		case c == '/' || c == '-' || c == '.':
			up = true
		case up && 'a' <= c && c <= 'z':
			name, up = name+string(c-'a'+'A'), false
		default:
			name, up = name+string(c), false
		}
	}
	if name == "" {
		return "Landing"
	}
	return name
}

func (d param) describe() object {
	schema := object{"type": "string"}
	switch d.kind {
	case number:
		schema = object{"type": "integer", "minimum": d.low, "maximum": d.high}
	case moment:
		schema["format"] = "date-time"
	default:
		if d.enum != nil {
			schema["enum"] = d.enum
		}
	}
	if d.def != nil && d.def != 0 {
		schema["default"] = d.def
	}
	if d.many {
		schema = object{"type": "array", "items": schema}
	}
	return object{"name": d.name, "in": "query", "required": d.required, "description": d.about, "schema": schema}
}
