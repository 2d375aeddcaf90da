package provider

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// catalogSource has the attributes of a data source that say how it reaches
// Databricks.
type catalogSource struct {
	AuthorizationID types.String `tfsdk:"authorization_id"`
	Databricks      types.Object `tfsdk:"databricks"`
}

// catalogReader lists what is in Databricks' catalog, by an authorization of the
// store or by a connection.
type catalogReader struct {
	api             jobs.API
	authorizationID string
	// connection, unless nil, is used in place of the authorization. ofProvider is set
	// if the provider block has it.
	connection *jobs.AuthorizationSpec
	ofProvider bool
	schema     attr.Type
}

// openCatalog returns the reader of a data source. It returns nil after an error, and if
// the read is deferred. A connection needs no store.
func (r *dataSourceBase) openCatalog(ctx context.Context, from catalogSource, req datasource.ReadRequest,
	resp *datasource.ReadResponse) *catalogReader {
	c := &catalogReader{authorizationID: from.AuthorizationID.ValueString(), schema: resp.State.Schema.Type()}
	if !from.AuthorizationID.IsNull() {
		c.api = r.openForRead(ctx, req, resp)
		if c.api == nil {
			return nil
		}
		return c
	}
	config := r.session.config
	switch {
	case !from.Databricks.IsNull():
		read := &configReader{}
		c.connection, _ = read.connection(ctx, from.Databricks) // Terraform reads a data source when all of it is known
		resp.Diagnostics.Append(read.diags...)
	case config.databricks != nil:
		c.connection, c.ofProvider = config.databricks, true
	case len(config.unknownDatabricks) > 0:
		if deferRead(ctx, req, resp) {
			return nil
		}
		resp.Diagnostics.AddError("The provider's connection to Databricks is not known yet",
			"The provider's "+strings.Join(config.unknownDatabricks, ", ")+" depends on a resource that is not created yet.\n\n"+
				"Give the data source depends_on with that resource, or write the value out.")
		return nil
	default:
		resp.Diagnostics.AddError("It is not said how to reach Databricks",
			"The data source has neither authorization_id nor databricks, and the provider block has no databricks.\n\n"+
				"Give one of them. databricks = { host = ... } needs no resource, so that the plan can list the tables.")
		return nil
	}
	if resp.Diagnostics.HasError() {
		return nil
	}
	if !r.session.known() && deferRead(ctx, req, resp) {
		return nil
	}
	api, err := r.session.connect(ctx)
	if err != nil {
		addError(&resp.Diagnostics, noAttribute, "reach Databricks", err)
		return nil
	}
	c.api = api
	return c
}

func (c *catalogReader) list(ctx context.Context, level jobs.CatalogLevel, in jobs.TableName, pattern string) (jobs.CatalogListing, error) {
	return c.api.ListCatalog(ctx, jobs.CatalogQuery{Connection: *c.connection, Level: level, In: in, Pattern: pattern})
}

func (c *catalogReader) catalogs(ctx context.Context, pattern string) ([]jobs.CatalogInfo, error) {
	if c.connection == nil {
		return c.api.Catalogs(ctx, c.authorizationID, pattern)
	}
	l, err := c.list(ctx, jobs.LevelCatalogs, jobs.TableName{}, pattern)
	return l.Catalogs, err
}

func (c *catalogReader) databases(ctx context.Context, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	if c.connection == nil {
		return c.api.Databases(ctx, c.authorizationID, catalog, pattern)
	}
	l, err := c.list(ctx, jobs.LevelDatabases, jobs.TableName{Catalog: catalog}, pattern)
	return l.Databases, err
}

func (c *catalogReader) tables(ctx context.Context, catalog, database, pattern string) ([]jobs.TableInfo, error) {
	if c.connection == nil {
		return c.api.Tables(ctx, c.authorizationID, catalog, database, pattern)
	}
	l, err := c.list(ctx, jobs.LevelTables, jobs.TableName{Catalog: catalog, Database: database}, pattern)
	return l.Tables, err
}

func (c *catalogReader) columns(ctx context.Context, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	if c.connection == nil {
		return c.api.Columns(ctx, c.authorizationID, table, pattern)
	}
	l, err := c.list(ctx, jobs.LevelColumns, table, pattern)
	return l.Columns, err
}

// connectionAttributes are the attributes of a connection that an error may name.
var connectionAttributes = []string{"host", "port", "http_path", "token_env", "ca_file", "catalog_api"}

// addError shows an error of the connection where the connection is given.
func (c *catalogReader) addError(diags *diag.Diagnostics, doing string, err error) {
	at := attributeTarget{objectType: c.schema, via: attributeOfReference}
	e := *toJobsError(err, doing)
	_, ofLogin := connectionLoginFields()[e.Attribute]
	if c.connection != nil && (ofLogin || slices.Contains(connectionAttributes, e.Attribute)) {
		if e.Attribute = "databricks." + e.Attribute; c.ofProvider {
			e.Detail = paragraphs(e.Detail, "The connection is that of the provider block, in "+e.Attribute+".")
			e.Attribute = ""
		}
	}
	addError(diags, at, doing, &e)
}
