package api

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"time"
	"unicode"

	"cassini/model"
)

// schemas are JSON schemas of Go types, by name.
type schemas map[string]any

// of describes the type of a value. Structs become components of their own.
func (s schemas) of(v any) object { return s.schema(reflect.TypeOf(v)) }

func (s schemas) schema(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[netip.Addr]():
		return object{"type": "string", "description": "an IP address"}
	case reflect.TypeFor[netip.AddrPort]():
		return object{"type": "string", "description": "an IP address and a port: 10.0.0.1:1985, [2001:db8::1]:1985"}
	case reflect.TypeFor[model.Secret]():
		return object{"type": "string", "description": "64 hexadecimal digits"}
	case reflect.TypeFor[model.Histogram]():
		return object{"type": "object", "additionalProperties": object{"type": "integer"}, "description": "counts by bucket, LOW-HIGH or LOW-: {\"64-128\": 40}; the end is not part of it"}
	case reflect.TypeFor[json.RawMessage]():
		return object{"description": "JSON of the package's own shape"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return object{"anyOf": []object{s.schema(t.Elem()), {"type": "null"}}}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": s.schema(t.Elem())}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": s.schema(t.Elem())}
	case reflect.Interface:
		return object{}
	case reflect.Struct:
		return s.component(t)
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	default:
		return object{"type": "integer"}
	}
}

// component describes a struct under its name and refers to it.
func (s schemas) component(t reflect.Type) object {
	name := string(unicode.ToUpper(rune(t.Name()[0]))) + t.Name()[1:]
	ref := object{"$ref": "#/components/schemas/" + name}
	if _, known := s[name]; known {
		return ref
	}
	properties, required := object{}, []string{}
	s[name] = object{} // for types that hold themselves
	s.fields(t, properties, &required)
	s[name] = object{"type": "object", "properties": properties, "required": required}
	return ref
}

// fields adds the fields of a struct, with those of the structs it embeds.
func (s schemas) fields(t reflect.Type, properties object, required *[]string) {
	for f := range t.Fields() {
		if f.Anonymous {
			s.fields(f.Type, properties, required)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		properties[name] = s.schema(f.Type)
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			*required = append(*required, name)
		}
	}
}
