package front

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
)

// volumes lists the volumes of a schema, as the REST API describes them.
func (s *Server) volumes(r *http.Request, c *catalogReader) ([]map[string]any, error) {
	catalog, schema := strings.ToLower(r.FormValue("catalog_name")), strings.ToLower(r.FormValue("schema_name"))
	if catalog == "" || schema == "" {
		return nil, &unityError{httpReply{
			status: http.StatusBadRequest, code: "INVALID_PARAMETER_VALUE",
			message: "catalog_name and schema_name are required to list volumes.",
		}}
	}
	out := []map[string]any{}
	for _, full := range slices.Sorted(slices.Values(s.options.Volumes)) {
		if strings.HasPrefix(strings.ToLower(full), catalog+"."+schema+".") {
			out = append(out, volumeInfo(full))
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	// No volume, or no such schema.
	_, err := c.tables(r.Context(), catalog, schema)
	return out, err
}

func (s *Server) volume(full string) (any, error) {
	i := slices.IndexFunc(s.options.Volumes, func(v string) bool { return strings.EqualFold(v, full) })
	if i < 0 {
		return nil, doesNotExist("Volume", full)
	}
	return volumeInfo(s.options.Volumes[i]), nil
}

// volumeInfo describes a managed volume. Names of objects are in lower case in Unity
// Catalog.
func volumeInfo(full string) map[string]any {
	full = strings.ToLower(full)
	parts := strings.SplitN(full, ".", 3)
	digest := sha256.Sum256([]byte(full))
	id := guid(digest[:16])
	return map[string]any{
		"name": parts[2], "catalog_name": parts[0], "schema_name": parts[1], "full_name": full,
		"volume_type": "MANAGED", "volume_id": id.String(),
	}
}
