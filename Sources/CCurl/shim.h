#include <curl/curl.h>
#include <string.h>

// Swift does not import functions with a variable number of arguments.
static inline CURLcode curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_set_headers(CURL *handle, struct curl_slist *headers) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
}
static inline CURLcode curl_set_body(CURL *handle, const void *bytes, long count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, count);
    return code ? code : curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, bytes);
}
static inline long curl_status(CURL *handle) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}
static inline long curl_retry_after(CURL *handle) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds);
    return (long)seconds;
}

// What a server answers is thrown away.
static size_t curl_discard(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes, (void)context;
    return size * count;
}
// Link-local addresses are those of a cloud's metadata service: nothing there wants an alert.
static int curl_check_address(void *context, char *address, char *local, int port, int local_port) {
    (void)context, (void)local, (void)port, (void)local_port;
    int is_link_local = strncmp(address, "169.254.", 8) == 0 || strncasecmp(address, "fe80:", 5) == 0
        || strncasecmp(address, "::ffff:169.254.", 15) == 0;
    return is_link_local ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}
static inline void curl_set_guards(CURL *handle) {
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, curl_discard);
    curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, curl_check_address);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    // A proxy would be dialled in place of the address that is checked.
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
}
