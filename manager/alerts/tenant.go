package alerts

import (
	"fmt"
	"regexp"
)

// tenantForm is TENANT= before what a receiver is.
var tenantForm = regexp.MustCompile(`^([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)=(.*)$`)

// splitTenant takes TENANT= off the beginning; "" is the whole estate.
func splitTenant(text string) (tenant, rest string) {
	if m := tenantForm.FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	return "", text
}

// secrets are the files of secrets, by tenant. Each has its own: who can check signatures
// can make them.
func (s Settings) secrets() (map[string]string, error) {
	files := make(map[string]string)
	for _, text := range s.SecretFiles {
		tenant, path := splitTenant(text)
		if files[tenant] != "" {
			return nil, fmt.Errorf("webhooks: %w: two files of secrets, %s and %s, for the same receivers", ErrInvalid, files[tenant], path)
		}
		if _, err := readSecret(path); err != nil {
			return nil, fmt.Errorf("webhooks: %w: %w", ErrInvalid, err)
		}
		files[tenant] = path
	}
	return files, nil
}

func (s Settings) programs(manager string) (list []Receiver, err error) {
	if s.Program != "" {
		argv, err := ParseProgram(s.Program)
		if err != nil {
			return nil, err
		}
		list = append(list, &program{argv, manager, "", programTimeout})
	}
	for _, text := range s.TenantPrograms {
		tenant, line := splitTenant(text)
		if tenant == "" {
			return nil, fmt.Errorf("program %q: %w: want TENANT=PROGRAM", text, ErrInvalid)
		}
		argv, err := ParseProgram(line)
		if err != nil {
			return nil, err
		}
		list = append(list, &program{argv, manager, tenant, programTimeout})
	}
	return list, nil
}

// maxTenants bounds the tenants with receivers: the graph of each is kept all the time.
const maxTenants = 32

// checkTenants says whether receivers can be told what their tenants see.
func checkTenants(list []Receiver, there bool) error {
	of := make(map[string]bool)
	for _, r := range list {
		if r.Tenant() == "" {
			continue
		}
		if of[r.Tenant()] = true; !there {
			return fmt.Errorf("%s: %w: there are no tenants here, since nobody is asked who speaks; see --listen and --tls-name", r.Name(), ErrInvalid)
		}
	}
	if len(of) > maxTenants {
		return fmt.Errorf("receivers of %d tenants: %w: want %d at most", len(of), ErrInvalid, maxTenants)
	}
	return nil
}

// nameOf is a receiver for people, with whose it is.
func nameOf(tenant, name string) string {
	if tenant == "" {
		return name
	}
	return tenant + ":" + name
}
